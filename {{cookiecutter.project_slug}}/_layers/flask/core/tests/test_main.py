"""What holds for every request."""

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from app import metrics
from tests.conftest import Headers

MEBIBYTE = 1_048_576


@pytest.mark.parametrize("path", ["/", "/docs", "/health/live", "/api/v1/items", "/nothing", "/static/style.css"])
def test_security_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize(("proposed", "kept"), [("a-1.B_2", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_request_ids(client: FlaskClient, proposed: str, kept: bool) -> None:
    given = client.get("/health/live", headers={"X-Request-ID": proposed}).headers["X-Request-ID"]
    assert (given == proposed) is kept
    assert len(given) >= 7


@pytest.mark.parametrize("path", ["/docs", "/static/swagger-ui/swagger-ui-bundle.js", "/static/docs.js", "/"])
def test_pages(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        assert response.status_code == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v1/nothing", "/api/v1/items/7", "/api/v1//items", "/static/nothing"]
)
def test_unknown_path(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.get_json(force=True).keys() == {"type", "title", "status", "detail"}
    assert response.headers["Cache-Control"] == "private, no-store"


def test_wrong_method(client: FlaskClient) -> None:
    response = client.put("/api/v1/items")
    assert response.status_code == 405
    assert response.mimetype == "application/problem+json"
    assert set(response.allow) == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"title": "Tea", "body": ""}', "text/plain", 415),
        (b'{"title": "Tea", "body": ""}', None, 415),
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'"\xff"', "application/json", 400),
        (b'"%s"' % (b"x" * MEBIBYTE), "application/json", 413),
        (b'"%s"' % (b"x" * (MEBIBYTE - 2)), "application/json", 422),
    ],
)
def test_bad_body(client: FlaskClient, headers: Headers, body: bytes, media_type: str | None, status: int) -> None:
    for transport in ({}, {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}):
        response = client.post(
            "/api/v1/items", data=body, content_type=media_type, headers=headers, environ_overrides=transport
        )
        assert response.status_code == status
        assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("LOCALHOST:80", 200), ("[::1]:8000", 200), ("evil.example", 400), ("a b", 400), ("", 400)],
)
def test_host(client: FlaskClient, host: str, status: int) -> None:
    assert client.get("/api/v1/items", headers={"Host": host}).status_code == status
    assert client.get("/health/live", headers={"Host": host}).status_code == 200
    assert client.get("/metrics", headers={"Host": host}).status_code == 200


def test_an_unhandled_exception(
    app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setitem(app.view_functions, "pages.index", fail)
    response = client.get("/")
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert "secret" not in response.text
    assert [record.exc_info is not None for record in caplog.records] == [True, False]


def test_the_log_of_a_request(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client.post(
        "/api/v1/tokens",
        json={"email": "ada@example.com", "password": "do not log me"},
        headers={"X-Request-ID": "known"},
    )
    client.get("/health/live")
    client.get("/metrics")
    (line,) = [record.msg for record in caplog.records]
    assert isinstance(line, dict)
    assert line["duration_ms"] > 0
    expected = {"event": "request", "method": "POST", "path": "/api/v1/tokens", "status": 401, "request_id": "known"}
    assert expected.items() <= line.items()
    assert "do not log me" not in str(line)
    assert "ada@example.com" not in str(line)


def test_unknown_paths_share_one_metric(client: FlaskClient) -> None:
    for path in ("/a", "/b", "/api/v1/c"):
        client.get(path)
    client.get("/api/v1/items/00000000-0000-0000-0000-000000000000")
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("http_requests_total{")]
    routes = {line.split('route="')[1].split('"')[0] for line in lines}
    assert {"unknown", "/api/v1/items/{id}"} <= routes
    assert not {route for route in routes if route.endswith(("/a", "/b", "/c", "0"))}
