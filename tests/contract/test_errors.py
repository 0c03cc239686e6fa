"""Whatever a client sends, it gets the right 4xx as a problem document: never a 5xx, never HTML."""

import httpx
import pytest

from tests.contract.client import UNKNOWN_ID, Account, assert_problem, new_user, send_raw
from tests.serving import Server

pytestmark = pytest.mark.variants("embedded", "one real")

ITEM = f"/api/v1/items/{UNKNOWN_ID}"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/items",
        "/api/v1/items/",
        "/api/v1/users/me/",
        "/api/v1/users/you",
        f"{ITEM}/comments",
        "/api//v1/items",
        "//api/v1/items",
        "/API/v1/items",
        "/health",
        "/health/live/",
        "/metrics/",
        "/docs/",
        "/index.php",
        "/.env",
        "/%00",
        "/%FF",
        "/" + "a" * 4000,
        "/static/nothing.js",
        "/static/",
        "/static",
        "/static/%00",
        "/static/" + "a" * 300,
        "/static/swagger-ui/",
    ],
)
def test_an_unknown_path(client: httpx.Client, server: Server, path: str) -> None:
    assert_problem(client.get(httpx.URL(server.base_url, raw_path=path.encode())), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_unknown_path_is_not_found_whatever_the_method(client: httpx.Client, method: str) -> None:
    assert_problem(client.request(method, "/api/v1/nothing"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pyproject.toml",
        "/static/../../pyproject.toml",
        "/static/..%2f..%2fpyproject.toml",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/static/..%5c..%5cpyproject.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/../environment.py",
        "/static/swagger-ui/../../environment.py",
        "/static/swagger-ui/..%2f__init__.py",
        "/../../../../etc/passwd",
    ],
)
def test_no_file_outside_the_static_folder_is_served(server: Server, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    response = send_raw(server.base_url, request.encode())
    assert_problem(response, 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/users", {"POST"}),
        ("/api/v1/tokens", {"POST"}),
        ("/api/v1/users/me", {"GET"}),
        ("/api/v1/items", {"GET", "POST"}),
        (ITEM, {"GET", "PATCH", "DELETE"}),
        ("/api/v1/exports", {"POST"}),
        (f"/api/v1/jobs/{UNKNOWN_ID}", {"GET"}),
        ("/api/v1/openapi.json", {"GET"}),
        ("/health/live", {"GET"}),
        ("/health/ready", {"GET"}),
        ("/metrics", {"GET"}),
        ("/", {"GET"}),
        ("/docs", {"GET"}),
        ("/static/style.css", {"GET"}),
    ],
)
def test_a_wrong_method(client: httpx.Client, path: str, allowed: set[str]) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
        response = client.request(method, path)
        assert_problem(response, 405)
        told = {name.strip() for name in response.headers["Allow"].split(",")}
        assert told - {"HEAD", "OPTIONS"} == allowed, method


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW", "get"])
@pytest.mark.parametrize("path", ["/api/v1/items", "/", "/health/live"])
def test_an_unusual_method_does_no_harm(server: Server, method: str, path: str) -> None:
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    response = send_raw(server.base_url, request.encode())
    assert response.status_code < 500 or response.status_code == 501
    assert response.is_success or "html" not in response.headers.get("Content-Type", "")


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "+5", "5, 6"])
def test_a_length_that_is_no_number(server: Server, length: str) -> None:
    request = (
        "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\nhello"
    )
    response = send_raw(server.base_url, request.encode())
    assert response.status_code == 400
    assert "html" not in response.headers.get("Content-Type", "")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "a b",
        "@",
        "[::",
        "localhost:x",
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/items", "/", "/docs", "/nothing", "/static/style.css", "/api/v1/openapi.json"]
)
def test_an_unknown_host(client: httpx.Client, host: str, path: str) -> None:
    response = client.get(path, headers={"Host": host})
    assert response.status_code == 400
    assert_problem(response, 400)


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "LOCALHOST", "127.0.0.1", "[::1]", "[::1]:8000"])
def test_a_known_host(client: httpx.Client, host: str) -> None:
    assert client.get("/api/v1/items", headers={"Host": host}).status_code == 200


def test_a_forwarded_host_is_not_believed(client: httpx.Client, alice: Account) -> None:
    headers = alice.headers | {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    response = client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers)
    assert response.status_code == 201
    assert "evil" not in response.headers["Location"]


@pytest.mark.parametrize(
    "target",
    ["/api/v1/items?limit=%", "/api/v1/items?%zz=%zz", "/api/v1/items?limit=%FF", "/%", "/%zz", "/api/v1/items/%zz"],
)
def test_invalid_percent_encoding(server: Server, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    response = send_raw(server.base_url, request.encode())
    assert response.status_code in {200, 400, 404, 422}
    assert "html" not in response.headers["Content-Type"]


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost",
        b"GET /api/v1/items?limit=\xff HTTP/1.1\r\nHost: localhost",
        b"GET /api/v1/items HTTP/1.1\r\nHost: \xff\xfe",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nHost: evil.example",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \xff",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nCookie: \xff=\xff; sessionid=\xff; ;;=",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: \xff, , 999.999.999.999",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: javascript",
        b"GET http://localhost/api/v1/items HTTP/1.1\r\nHost: localhost",
        b"GET /api/v1/items HTTP/1.0",
        b"GET /api/v1/items HTTP/1.1",
        b"GET /api/v1/items HTTP/9.9\r\nHost: localhost",
        b"GET  /api/v1/items HTTP/1.1\r\nHost: localhost",
        b"nonsense",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost",
        b"GET /api/v1/items HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000,
    ],
    ids=range(17),
)
def test_a_malformed_request_does_no_harm(server: Server, client: httpx.Client, request_head: bytes) -> None:
    response = send_raw(server.base_url, request_head + b"\r\nConnection: close\r\n\r\n")
    assert response.status_code < 500 or response.status_code == 505
    assert "html" not in response.headers.get("Content-Type", "")
    assert client.get("/api/v1/items?limit=1").status_code == 200


def test_many_query_parameters(client: httpx.Client) -> None:
    response = client.get("/api/v1/items", params=[("limit", "1"), *((f"p{n}", "x") for n in range(1500))])
    assert response.status_code < 500
    assert "html" not in response.headers["Content-Type"]


def test_a_repeated_query_parameter(client: httpx.Client) -> None:
    assert client.get("/api/v1/items", params=[("limit", "1"), ("limit", "2")]).status_code in {200, 422}


def test_a_problem_tells_no_secrets(client: httpx.Client) -> None:
    user = new_user()
    response = client.post("/api/v1/users", json=user | {"name": ""})
    assert user["password"] not in response.text
    assert user["email"] not in response.text
