"""What only PostgreSQL does."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from app import database
from app.environment import environment
from app.items.models import Item
from app.jobs import runs, tasks
from app.jobs.models import Job
from app.management.commands.migrate import LOCK
from tests.conftest import JSON, assert_problem, connected

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL")

TABLES = ("users_user", "items_item", "jobs_job")
ROWS = """
    INSERT INTO users_user (id, password, is_superuser, email, name, is_active, is_staff, created_at)
        SELECT gen_random_uuid(), '', false, n || '@example.org', 'Name', true, false, now()
        FROM generate_series(1, 20000) AS n;
    INSERT INTO items_item (id, owner_id, title, body, created_at, updated_at)
        SELECT gen_random_uuid(), id, 'Title', 'Body', now(), now() FROM users_user;
    INSERT INTO jobs_job
        (id, owner_id, kind, status, idempotency_key, attempts, due_at, created_at, started_at, finished_at)
        SELECT gen_random_uuid(), id, 'export', 'succeeded', id, 1, now(), now(), now(), now() FROM users_user;
    ANALYZE users_user, items_item, jobs_job;
"""


@pytest.fixture
def server() -> Iterator[psycopg.Connection[Any]]:
    """A connection beside the application's."""
    with closing(psycopg.connect(environment.database_url, autocommit=True, application_name="beside")) as server:
        yield server


@pytest.fixture
def pool() -> Iterator[None]:
    """The application's pool, with the tests' own connection in it."""
    connection.close()
    yield
    connection.close()


def cut(server: psycopg.Connection[Any]) -> None:
    """Close the application's connections, as a restart does."""
    server.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name <> 'beside'"
    )


def test_every_statement_uses_an_index(as_ada: Client, client: Client, item: Item) -> None:
    path = f"/api/v1/items/{item.id}"
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(ROWS)
        Job.objects.create(owner=item.owner, status=Job.Status.RUNNING)
        with CaptureQueriesContext(connection) as statements:
            client.post("/api/v1/tokens", {"email": item.owner.email, "password": "wrong"}, JSON)
            as_ada.get("/api/v1/users/me")
            client.get("/api/v1/items")
            client.get("/api/v1/items", {"cursor": str(uuid4())})
            client.get(path)
            as_ada.patch(path, {"title": "Coffee"}, JSON)
            exported = as_ada.post("/api/v1/exports", headers={"Idempotency-Key": "monday"})
            as_ada.get(exported["Location"])
            runs.run(UUID(exported.json()["id"]))
            tasks.sweep()
            as_ada.delete(path)
        texts = [s["sql"] for s in statements if s["sql"].startswith(("SELECT", "UPDATE", "DELETE"))]
        assert Job.objects.get(idempotency_key="monday").status == Job.Status.SUCCEEDED
        with connection.cursor() as cursor:
            for text in texts:
                cursor.execute(f"EXPLAIN {text}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert not any(f"Seq Scan on {table}" in plan for table in TABLES), f"{text}\n{plan}"
        transaction.set_rollback(True)
    assert len(texts) >= 15


@pytest.mark.usefixtures("pool")
def test_a_restarted_server_is_not_noticed(as_ada: Client, item: Item, server: psycopg.Connection[Any]) -> None:
    for method, path in (("GET", "/api/v1/items"), ("GET", "/health/ready"), ("PATCH", f"/api/v1/items/{item.id}")):
        connection.close()
        cut(server)
        assert as_ada.generic(method, path, b"{}", JSON).status_code == 200


@pytest.mark.usefixtures("pool")
def test_a_read_is_repeated_when_its_connection_breaks(as_ada: Client, server: psycopg.Connection[Any]) -> None:
    def cut_first(execute: Any, *statement: Any) -> Any:  # noqa: ANN401
        cut(server)
        return execute(*statement)

    def cut_once(execute: Any, *statement: Any) -> Any:  # noqa: ANN401
        connection.execute_wrappers.clear()
        return cut_first(execute, *statement)

    connection.execute_wrappers.append(cut_once)
    assert as_ada.get("/api/v1/users/me").status_code == 200
    with connection.execute_wrapper(cut_first):
        assert_problem(as_ada.get("/api/v1/users/me"), 503)
        assert_problem(as_ada.post("/api/v1/items", {"title": "Tea", "body": ""}, JSON), 503)


@pytest.mark.usefixtures("pool")
def test_a_request_waits_for_a_connection_only_so_long(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = database.pool()
    pool.open()
    taken = [pool.getconn() for _ in range(environment.database_pool_size)]
    monkeypatch.setattr(pool, "timeout", 0.1)
    try:
        assert_problem(client.get("/api/v1/items"), 503)
    finally:
        for one in taken:
            pool.putconn(one)
    assert client.get("/api/v1/items").status_code == 200


def test_a_server_that_hangs_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("3s",)
        monkeypatch.setattr(database, "ANSWER_SECONDS", 0.1)
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_sleep(2)")
    monkeypatch.undo()
    connection.close()
    # Until the pool has a new connection, requests are refused at once.
    deadline = time.monotonic() + 5
    while database.pool().timeout != database.POOL_SECONDS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.get("/api/v1/items").status_code == 200


def test_migrations_run_one_after_the_other(server: psycopg.Connection[Any]) -> None:
    with ThreadPoolExecutor(1) as pool:
        with server.transaction():
            server.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            waiting = pool.submit(connected, lambda: call_command("migrate", verbosity=0))
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result(5)
