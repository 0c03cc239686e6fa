from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from app.items.models import Item
from app.wsgi import application
from tests.conftest import JSON, assert_problem

MEBIBYTE = 1_048_576


@pytest.mark.parametrize("path", ["/nothing", "/api/v1", "/api/v1/", "/api/v1/items/", "/static/nothing", "/health"])
def test_an_unknown_path(client: Client, path: str) -> None:
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/users", {"POST"}),
        ("/api/v1/items", {"GET", "POST"}),
        ("/api/v1/openapi.json", {"GET", "HEAD"}),
        ("/health/live", {"GET", "HEAD"}),
        ("/docs", {"GET", "HEAD"}),
        ("/static/style.css", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method(path: str, allowed: set[str]) -> None:
    response = Client(enforce_csrf_checks=True).put(path)
    assert_problem(response, 405)
    assert set(response["Allow"].split(", ")) == allowed


def test_another_media_type(as_ada: Client) -> None:
    assert_problem(as_ada.post("/api/v1/items", {"title": "Tea", "body": ""}), 415)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"title": NaN}'])
def test_a_body_that_is_no_json(as_ada: Client, body: bytes) -> None:
    assert_problem(as_ada.generic("POST", "/api/v1/items", body, JSON), 400)


def test_a_body_that_is_too_large(as_ada: Client) -> None:
    body = b'{"title": "Tea", "body": ""}'
    assert as_ada.generic("POST", "/api/v1/items", body.ljust(MEBIBYTE), JSON).status_code == 201
    assert_problem(as_ada.generic("POST", "/api/v1/items", body.ljust(MEBIBYTE + 1), JSON), 413)


def send_chunked(as_ada: Client, body: bytes) -> int:
    """The status of an answer to a body without a Content-Length, through the whole WSGI application."""
    statuses: list[str] = []
    request: dict[str, Any] = as_ada.request().wsgi_request.environ | {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/items",
        "CONTENT_TYPE": JSON,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(body),
    }
    application(request, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    return int(statuses[0].split()[0])


@pytest.mark.parametrize(("length", "status"), [(MEBIBYTE, 201), (MEBIBYTE + 1, 413)])
def test_a_body_in_chunks(as_ada: Client, length: int, status: int) -> None:
    assert send_chunked(as_ada, b'{"title": "Tea", "body": ""}'.ljust(length)) == status


def test_another_host(client: Client) -> None:
    assert_problem(client.get("/api/v1/items", headers={"Host": "example.org"}), 400)
    for probe in ("/health/live", "/health/ready", "/metrics"):
        assert client.get(probe, headers={"Host": "10.0.0.1:8000"}).status_code == 200


IMPATIENT, PATIENT, BLOCK = {
    "sqlite": ("PRAGMA busy_timeout = 10", "PRAGMA busy_timeout = 5000", "BEGIN IMMEDIATE"),
    "postgresql": ("SET lock_timeout = 10", "RESET lock_timeout", "BEGIN; LOCK TABLE items_item"),
}[connection.vendor]


def test_a_database_that_cannot_be_written(as_ada: Client) -> None:
    with closing(connection.copy()) as other, connection.cursor() as cursor:
        cursor.execute(IMPATIENT)
        other.cursor().execute(BLOCK)
        try:
            assert_problem(as_ada.post("/api/v1/items", {"title": "Tea", "body": ""}, JSON), 503)
        finally:
            cursor.execute(PATIENT)
            other.cursor().execute("ROLLBACK")
    assert not Item.objects.exists()
