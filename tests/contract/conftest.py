"""Every test here speaks to a server over HTTP: to one that is generated and started for it, or to `--base-url`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.baking import BakedProject, bake
from tests.contract.client import Account, connect, create_item, sign_up
from tests.contract.place import NewPlace, Place, Seed, Services, new_place
from tests.contract.variants import Variant, variants
from tests.services import Postgres, RabbitMQ, Replicated, primary_with_standbys, rabbitmq
from tests.serving import Server, eventually, running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--base-url", help="test the server at this URL instead of generating projects")


def given_url(config: pytest.Config) -> str | None:
    url = config.getoption("--base-url", default=None) or os.environ.get("CONTRACT_BASE_URL")
    return str(url).rstrip("/") if url else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "variant" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("variants")
        chosen = variants(*(marker.args if marker else ("embedded", "real")))
        given = given_url(metafunc.config) is not None
        metafunc.parametrize("variant", ["given"] if given else chosen, ids=str, scope="session")


@pytest.fixture(scope="session")
def replicated_server() -> Iterator[Replicated]:
    with primary_with_standbys(2) as servers:
        yield servers


@pytest.fixture(scope="session")
def postgres_server(replicated_server: Replicated) -> Postgres:
    return replicated_server.primary


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQ]:
    with rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest, variant: Variant) -> Services:
    """The servers that the places of a variant share."""
    if variant.embedded:
        return Services()
    amqp = request.getfixturevalue("rabbitmq_server") if variant.queue == "celery-rabbitmq" else None
    return Services(request.getfixturevalue("replicated_server"), amqp)


@pytest.fixture(scope="session")
def projects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that projects are generated into."""
    if given_url(request.config):
        pytest.skip("generates projects: run it without --base-url")
    return tmp_path_factory.getbasetemp() / "projects"


@pytest.fixture(scope="session")
def project(projects: Path, variant: Variant) -> BakedProject:
    project = bake(projects, **variant.answers)
    project.run("make", "install")
    return project


@pytest.fixture(scope="session")
def new_places(project: BakedProject, variant: Variant, services: Services) -> NewPlace:
    """Makes places, whose database holds what another one does."""
    return partial(new_place, project, variant, services)


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, variant: Variant, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The project as `make run` serves it, with its worker where there is one."""
    url = given_url(request.config)
    if url:
        yield Server(url)
        return
    project: BakedProject = request.getfixturevalue("project")
    with ExitStack() as stack:
        if variant.embedded:
            yield stack.enter_context(running(project))
            return
        new_places: NewPlace = request.getfixturevalue("new_places")
        place = stack.enter_context(new_places(tmp_path_factory.mktemp("server"), None))
        server = stack.enter_context(running(project, place.servers))
        if variant.has_broker:
            stack.enter_context(place.working(EXPORT_DIR=f"{project.path}/var/exports"))
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client whose address no other test has: no test uses up another's tries."""
    with connect(server.base_url) as client:
        yield client


@pytest.fixture(scope="session")
def alice(server: Server) -> Account:
    with connect(server.base_url) as client:
        return sign_up(client, "Alice")


@pytest.fixture(scope="session")
def bob(server: Server) -> Account:
    with connect(server.base_url) as client:
        return sign_up(client, "Bob")


@pytest.fixture
def place(tmp_path: Path, new_places: NewPlace) -> Iterator[Place]:
    """A place with an empty database."""
    with new_places(tmp_path, None) as place:
        yield place


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory, new_places: NewPlace) -> Iterator[Seed]:
    """A database with a user, three items and a finished export."""
    with new_places(tmp_path_factory.mktemp("seed"), None) as place:
        place.migrate()
        working = place.working() if place.has_broker else nullcontext()
        with place.web() as server, working, connect(server.base_url) as client:
            owner = sign_up(client)
            for number in range(3):
                create_item(client, owner, title=f"Tea {number}")
            job = client.post("/api/v1/exports", headers=owner.headers).json()
            eventually(lambda: place.job_statuses() == ["succeeded"], seconds=30)
        yield Seed(place.database, owner, job["id"])


@pytest.fixture
def migrated(tmp_path: Path, new_places: NewPlace, seed: Seed) -> Iterator[Place]:
    """A place with a copy of the seed."""
    with new_places(tmp_path, seed.database) as place:
        yield place
