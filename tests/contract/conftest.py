"""Every test here speaks to a server over HTTP: to one that is generated and started for it, or to `--base-url`."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.baking import BakedProject, bake
from tests.contract.client import Account, connect, create_item, sign_up
from tests.contract.place import Place, Seed
from tests.serving import Server, eventually, running

FRAMEWORKS = ("django", "flask", "fastapi")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--base-url", help="test the server at this URL instead of generating projects")


def given_url(config: pytest.Config) -> str | None:
    url = config.getoption("--base-url", default=None) or os.environ.get("CONTRACT_BASE_URL")
    return str(url).rstrip("/") if url else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "framework" in metafunc.fixturenames:
        names = ("given",) if given_url(metafunc.config) else FRAMEWORKS
        metafunc.parametrize("framework", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def projects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that projects are generated into."""
    if given_url(request.config):
        pytest.skip("generates projects: run it without --base-url")
    return tmp_path_factory.getbasetemp() / "projects"


@pytest.fixture(scope="session")
def project(projects: Path, framework: str) -> BakedProject:
    project = bake(projects, framework=framework)
    project.run("make", "install")
    return project


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, framework: str) -> Iterator[Server]:
    url = given_url(request.config)
    if url:
        yield Server(url)
    else:
        with running(request.getfixturevalue("project")) as server:
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
def place(project: BakedProject, tmp_path: Path) -> Place:
    return Place(project, tmp_path)


@pytest.fixture(scope="session")
def seed(project: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """A database with a user, three items and a finished export."""
    place = Place(project, tmp_path_factory.mktemp("seed"))
    place.migrate()
    with place.web() as server, connect(server.base_url) as client:
        owner = sign_up(client)
        for number in range(3):
            create_item(client, owner, title=f"Tea {number}")
        job = client.post("/api/v1/exports", headers=owner.headers).json()
        eventually(lambda: place.job_statuses() == ["succeeded"])
    return Seed(place.database, owner, job["id"])


@pytest.fixture
def migrated(place: Place, seed: Seed) -> Place:
    """A place with a copy of the seed."""
    place.database.parent.mkdir()
    with closing(sqlite3.connect(seed.database)) as source, closing(sqlite3.connect(place.database)) as copy:
        source.backup(copy)
    return place
