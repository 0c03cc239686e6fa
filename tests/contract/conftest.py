"""Every test here speaks to a server over HTTP: to one that is generated and started for it, or to `--base-url`."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.baking import BakedProject, bake
from tests.contract.client import Account, connect, create_item, sign_up
from tests.contract.place import Database, Place, PostgreSQL, Seed, SQLite
from tests.services import Postgres, postgres
from tests.serving import Server, eventually, running

FRAMEWORKS = ("django", "flask", "fastapi")
DATABASES = ("sqlite", "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--base-url", help="test the server at this URL instead of generating projects")


def given_url(config: pytest.Config) -> str | None:
    url = config.getoption("--base-url", default=None) or os.environ.get("CONTRACT_BASE_URL")
    return str(url).rstrip("/") if url else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "variant" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("database")
        variants = [
            framework if database == "sqlite" else f"{framework}-{database}"
            for framework in FRAMEWORKS
            for database in (marker.args if marker else DATABASES)
        ]
        metafunc.parametrize("variant", ["given"] if given_url(metafunc.config) else variants, scope="session")


@pytest.fixture(scope="session")
def framework(variant: str) -> str:
    return variant.removesuffix("-postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


type NewDatabase = Callable[[Path, Any], AbstractContextManager[Database]]


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, variant: str) -> NewDatabase:
    """Makes a database, with what another one holds."""
    if not variant.endswith("-postgres"):
        return lambda folder, template: nullcontext(SQLite(folder / "data" / "db.sqlite3", template))
    server: Postgres = request.getfixturevalue("postgres_server")
    return lambda _, template: closing(PostgreSQL(server, template))


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
def server(request: pytest.FixtureRequest, variant: str) -> Iterator[Server]:
    url = given_url(request.config)
    if url:
        yield Server(url)
        return
    project: BakedProject = request.getfixturevalue("project")
    env = {}
    if variant.endswith("-postgres"):
        env["DATABASE_URL"] = PostgreSQL(request.getfixturevalue("postgres_server")).url
    with running(project, env) as server:
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
def place(project: BakedProject, tmp_path: Path, new_database: NewDatabase) -> Iterator[Place]:
    """A place with an empty database."""
    with new_database(tmp_path, None) as database:
        yield Place(project, tmp_path, database)


@pytest.fixture(scope="session")
def seed(project: BakedProject, tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Seed]:
    """A database with a user, three items and a finished export."""
    folder = tmp_path_factory.mktemp("seed")
    with new_database(folder, None) as database:
        place = Place(project, folder, database)
        place.migrate()
        with place.web() as server, connect(server.base_url) as client:
            owner = sign_up(client)
            for number in range(3):
                create_item(client, owner, title=f"Tea {number}")
            job = client.post("/api/v1/exports", headers=owner.headers).json()
            eventually(lambda: place.job_statuses() == ["succeeded"])
        yield Seed(database, owner, job["id"])


@pytest.fixture
def migrated(project: BakedProject, tmp_path: Path, new_database: NewDatabase, seed: Seed) -> Iterator[Place]:
    """A place with a copy of the seed."""
    with new_database(tmp_path, seed.database) as database:
        yield Place(project, tmp_path, database)
