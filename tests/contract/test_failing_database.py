"""A database that is missing, locked or broken: the right 5xx at once, and recovery without a restart."""

import re
import time
import uuid

import pytest

from tests.contract.client import (
    assert_problem,
    connect,
    create_item,
    new_user,
    sign_up,
    total,
)
from tests.contract.place import WEB, Place, SQLite
from tests.serving import eventually, running

pytestmark = pytest.mark.variants("embedded", "one real of each framework")


@pytest.mark.variants("embedded")
def test_without_a_database_the_server_lives_and_recovers(place: Place) -> None:
    assert isinstance(place.database, SQLite)
    place.database.file.mkdir(parents=True)
    with running(place.project, place.env, WEB, ready="/health/live") as server, connect(server.base_url) as client:
        begin = time.monotonic()
        ready = client.get("/health/ready")
        assert_problem(ready, 503)
        assert "database" in ready.json()["detail"]
        assert "cache" not in ready.json()["detail"]
        assert_problem(client.get("/api/v1/items"), 503)
        assert_problem(client.get(f"/api/v1/items/{uuid.uuid4()}"), 503)
        assert_problem(client.post("/api/v1/users", json=new_user()), 503)
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - begin < 5
        place.database.file.rmdir()
        place.migrate()
        assert client.get("/health/ready").status_code == 200
        create_item(client, sign_up(client))


def test_a_database_that_stays_locked_is_503_for_writers_only(migrated: Place) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        user = new_user()
        with migrated.database.locked(migrated.table("email")):
            assert client.get("/api/v1/items").status_code == 200
            begin = time.monotonic()
            assert_problem(client.post("/api/v1/users", json=user), 503)
            assert time.monotonic() - begin < 6
        assert client.post("/api/v1/users", json=user).status_code == 201


def test_an_unexpected_error_is_a_problem_document_and_logged_once(migrated: Place) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        item = create_item(client, sign_up(client)).json()
        if isinstance(migrated.database, SQLite):
            # Bytes that are no text.
            migrated.database.execute(f"UPDATE \"{migrated.table('body')}\" SET body = x'ff'")
        else:
            migrated.database.execute(f'ALTER TABLE "{migrated.table("body")}" DROP COLUMN created_at CASCADE')
        request_id = uuid.uuid4().hex
        response = client.get(f"/api/v1/items/{item['id']}", headers={"X-Request-ID": request_id})
        assert_problem(response, 500)
        assert response.headers["X-Request-ID"] == request_id
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Traceback" not in response.text
        assert "no time" not in response.text
        assert "created_at" not in response.text
        assert server.process
        process = server.process
        eventually(lambda: re.search(rf"status=500.*{request_id}|{request_id}.*status=500", process.log))
        causes = process.log.count("\nThe above exception was the direct cause of")
        assert process.log.count("Traceback (most recent call last)") - causes == 1
        assert len([line for line in process.log.splitlines() if request_id in line]) == 2
        eventually(
            lambda: total(client, "http_requests_total", route="/api/v1/items/{id}", status="500", method="GET") == 1
        )
