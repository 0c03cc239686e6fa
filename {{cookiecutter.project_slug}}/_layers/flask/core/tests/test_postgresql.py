"""What only PostgreSQL does."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from psycopg import Connection
from sqlalchemy import Dialect, Engine, create_engine, event, func, select, text
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app import database, postgresql
from app.database import MIGRATION_LOCK, SQLITE, db, transaction
from app.environment import environment
from app.items.models import Item
from app.jobs import runs, tasks
from app.jobs.models import Job
from app.users.models import User
from tests.conftest import HASHED, PASSWORD, Headers, bearer

pytestmark = pytest.mark.skipif(SQLITE, reason="needs PostgreSQL")


@pytest.fixture
def engine(app: APIFlask) -> Engine:
    with app.app_context():
        return db.engine


@pytest.fixture
def admin() -> Iterator[Engine]:
    """Another client of the same database."""
    engine = create_engine(environment.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def elsewhere(engine: Engine) -> Iterator[socket.socket]:
    """Where the application looks for its database: a server that accepts connections, but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = dict(zip(("host", "port"), server.getsockname(), strict=True))

        def connect(
            dialect: Dialect, entry: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
        ) -> Connection:
            return postgresql.connect(dialect, entry, arguments, options | place)

        event.remove(engine, "do_connect", postgresql.connect)
        event.listen(engine, "do_connect", connect)
        engine.dispose()
        yield server
        event.remove(engine, "do_connect", connect)
        event.listen(engine, "do_connect", postgresql.connect)


@pytest.fixture
def many(admin: Engine) -> Iterator[User]:
    """A user among many, who have an item and a job each."""
    with admin.begin() as connection:
        for statement in (
            "INSERT INTO users SELECT gen_random_uuid(), n, 'Ada', :password, now() FROM generate_series(1, 20000) n",
            "INSERT INTO items SELECT gen_random_uuid(), 'Tea', '', id, now(), now() FROM users",
            "INSERT INTO jobs SELECT gen_random_uuid(), id, '', 'succeeded', NULL, 'key', 1, now(), now() FROM users",
            "ANALYZE users, items, jobs",
        ):
            connection.execute(text(statement), {"password": HASHED})
        user = User(**connection.execute(select(User.__table__).limit(1)).mappings().one())
    yield user
    with admin.begin() as connection:
        connection.execute(text("TRUNCATE users CASCADE"))


def kill_connections(admin: Engine) -> None:
    kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    with admin.begin() as connection:
        connection.execute(text(f"{kill} AND pid <> pg_backend_pid()"))


def test_no_query_reads_a_whole_table(app: APIFlask, client: FlaskClient, engine: Engine, many: User) -> None:
    queries: list[tuple[str, Any]] = []

    def record(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            queries.append((statement, parameters))

    headers = bearer(many)
    event.listen(engine, "before_cursor_execute", record)
    page = client.get("/api/v1/items?limit=1").get_json()
    client.get(f"/api/v1/items?cursor={page['next_cursor']}")
    client.post("/api/v1/tokens", json={"email": many.email, "password": PASSWORD})
    path = client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers).headers["Location"]
    assert client.get(path).status_code == 200
    assert client.patch(path, json={"title": "Coffee"}, headers=headers).status_code == 200
    assert client.delete(path, headers=headers).status_code == 204
    job = client.post("/api/v1/exports", headers=headers | {"Idempotency-Key": "key"})
    assert client.get(job.headers["Location"], headers=headers).status_code == 200
    with app.app_context():
        new = Job(owner_id=many.id)
        with transaction():
            db.session.add(new)
        runs.run(new.id)
        tasks.sweep()
    event.remove(engine, "before_cursor_execute", record)

    assert len({statement for statement, _ in queries}) >= 13
    with engine.connect() as connection:
        for statement, parameters in queries:
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
            assert "Seq Scan" not in plan, f"{statement}\n{plan}"


def test_of_two_changes_to_one_version_one_is_made(app: APIFlask, headers: Headers) -> None:
    created = app.test_client().post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers)

    def change(title: str) -> int:
        seen = headers | {"If-Match": created.headers["ETag"]}
        path = created.headers["Location"]
        return app.test_client().patch(path, json={"title": title}, headers=seen).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, "abcd")) == [200, 412, 412, 412]


def test_a_locked_item_is_waited_for(app: APIFlask, admin: Engine, headers: Headers) -> None:
    created = app.test_client().post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers)

    def change() -> int:
        return app.test_client().patch(created.headers["Location"], json={}, headers=headers).status_code

    with ThreadPoolExecutor(1) as pool:
        with admin.begin() as connection:
            connection.execute(select(Item.__table__).with_for_update())
            changing = pool.submit(change)
            time.sleep(0.2)
            assert not changing.done()
            assert app.test_client().get(created.headers["Location"]).status_code == 200
        assert changing.result() == 200


def test_nothing_is_written_outside_a_transaction(app: APIFlask, user: User) -> None:
    with app.app_context():
        db.session.add(Job(owner_id=user.id))
        with pytest.raises(InternalError, match="read-only transaction"):
            db.session.commit()


def test_a_read_survives_a_restart(client: FlaskClient, engine: Engine, admin: Engine, headers: Headers) -> None:
    engine.dispose()
    for path in ("/api/v1/users/me", "/health/ready"):
        assert client.get(path, headers=headers).status_code == 200
        kill_connections(admin)
        assert client.get(path, headers=headers).status_code == 200


def test_a_write_after_a_restart_may_be_sent_again(
    client: FlaskClient, engine: Engine, admin: Engine, headers: Headers
) -> None:
    def create() -> int:
        return client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers).status_code

    engine.dispose()
    assert create() == 201
    kill_connections(admin)
    assert [create(), create()] == [503, 201]
    assert len(client.get("/api/v1/items").get_json()["items"]) == 2


def test_a_database_that_is_down(client: FlaskClient, elsewhere: socket.socket) -> None:
    elsewhere.close()
    response = client.get("/api/v1/items")
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert client.get("/health/ready").get_json(force=True)["detail"] == "Not ready: database."
    assert client.get("/health/live").status_code == 200


def test_a_server_that_stops_answering(app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(postgresql, "PAUSE_SECONDS", 0)
    begin = time.monotonic()
    with app.app_context(), pytest.raises(OperationalError, match="does not answer"):
        database.read(lambda: db.session.execute(select(func.pg_sleep(3))))
    assert time.monotonic() - begin < 2
    assert client.get("/api/v1/items").status_code == 200


def test_one_at_a_time_waits_for_a_silent_server(
    app: APIFlask, elsewhere: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def status() -> int:
        return app.test_client().get("/api/v1/items").status_code

    silence = postgresql.Silence()
    silence.begin()
    monkeypatch.setattr(postgresql, "silence", silence)
    assert status() == 503
    monkeypatch.setattr(postgresql, "PAUSE_SECONDS", 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(status)
        connection, _ = elsewhere.accept()
        assert status() == 503
        assert not waiting.done()
        connection.close()
        assert waiting.result() == 503


def test_a_statement_has_limits(app: APIFlask) -> None:
    with app.app_context():
        assert db.session.scalar(text("SHOW statement_timeout")) == f"{postgresql.STATEMENT_SECONDS}s"


def test_migrations_wait_for_each_other(app: APIFlask, admin: Engine) -> None:
    def migrate() -> None:
        with app.app_context():
            upgrade(str(Path(__file__).parent.parent / "migrations"))

    with ThreadPoolExecutor(1) as pool:
        with admin.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            migrating = pool.submit(migrate)
            time.sleep(0.5)
            assert not migrating.done()
        migrating.result()
