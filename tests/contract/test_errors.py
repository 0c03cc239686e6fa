"""Whatever a client sends, it gets the right 4xx as a problem document: never a 5xx, never HTML."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.contract.client import Account, assert_problem, create_item, new_user, send_raw
from tests.serving import Server

MEBIBYTE = 1_048_576
ITEM = f"/api/v1/items/{uuid.uuid4()}"
JSON = {"Content-Type": "application/json"}
TAKES_A_BODY = pytest.mark.parametrize(
    "route", ["POST /api/v1/users", "POST /api/v1/tokens", "POST /api/v1/items", "PATCH /api/v1/items/{id}"]
)


def send(
    client: httpx.Client,
    alice: Account,
    route: str,
    body: bytes | Iterator[bytes],
    media_type: str | None = "application/json",
) -> httpx.Response:
    """The answer to a body that nothing but itself is wrong with."""
    method, path = route.split()
    if method == "PATCH":
        path = create_item(client, alice).headers["Location"]
    headers = alice.headers | ({} if media_type is None else {"Content-Type": media_type})
    return client.request(method, path, content=body, headers=headers)


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
        (f"/api/v1/jobs/{uuid.uuid4()}", {"GET"}),
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


@TAKES_A_BODY
@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        "",
        None,
    ],
)
def test_a_body_of_another_media_type(client: httpx.Client, alice: Account, route: str, media_type: str | None) -> None:
    response = send(client, alice, route, b'{"title": "Tea", "body": ""}', media_type)
    assert_problem(response, 415)


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"],
)
def test_json_by_any_of_its_names(client: httpx.Client, alice: Account, media_type: str) -> None:
    headers = alice.headers | {"Content-Type": media_type}
    response = client.post("/api/v1/items", content='{"title": "Þé", "body": ""}'.encode(), headers=headers)
    assert response.status_code == 201
    assert response.json()["title"] == "Þé"


UNPARSEABLE = {
    "cut off": b'{"title": "Tea"',
    "no JSON": b"title=Tea",
    "not UTF-8": b'{"title": "\xff\xfe", "body": ""}',
    "UTF-16": '{"title": "Tea", "body": ""}'.encode("utf-16"),
    "Latin-1": '{"title": "Thé", "body": ""}'.encode("latin-1"),
    "single quotes": b"{'title': 'Tea', 'body': ''}",
    "control character": b'{"title": "a\x00b", "body": ""}',
    "comma at the end": b'{"title": "Tea", "body": "",}',
    "two documents": b'{"title": "Tea", "body": ""}{}',
    "comment": b'{"title": "Tea", /* */ "body": ""}',
}


@TAKES_A_BODY
@pytest.mark.parametrize("body", UNPARSEABLE.values(), ids=UNPARSEABLE.keys())
def test_a_body_that_is_no_json(client: httpx.Client, alice: Account, route: str, body: bytes) -> None:
    assert_problem(send(client, alice, route, body), 400)


@TAKES_A_BODY
def test_a_missing_body(client: httpx.Client, alice: Account, route: str) -> None:
    response = send(client, alice, route, b"")
    assert_problem(response, response.status_code, *(["/body"] if response.status_code == 422 else []))
    assert response.status_code in {400, 422}


@TAKES_A_BODY
@pytest.mark.parametrize("body", [b"[]", b'[{"title": "Tea", "body": ""}]', b'"Tea"', b"7", b"null", b"true"])
def test_a_body_that_is_no_object(client: httpx.Client, alice: Account, route: str, body: bytes) -> None:
    assert_problem(send(client, alice, route, body), 422, "/body")


HOSTILE = {
    "deep arrays": b"[" * 100_000,
    "deep arrays, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"title":' * 50_000,
    "deep, in a field": b'{"title": "Tea", "body": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "lone surrogate": rb'{"title": "\ud800", "body": ""}',
    "lone surrogate as a name": rb'{"title": "Tea", "body": "", "\udfff": 1}',
    "encoded surrogate": b'{"title": "\xed\xa0\x80", "body": ""}',
    "huge number": b'{"title": ' + b"9" * 10_000 + b', "body": ""}',
    "infinite number": b'{"title": 1e999, "body": ""}',
    "no number": b'{"title": NaN, "body": ""}',
    "byte order mark": b'\xef\xbb\xbf{"title": 7}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("path", ["/api/v1/items", "/api/v1/users", "/api/v1/tokens"])
def test_a_hostile_body(client: httpx.Client, alice: Account, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers=alice.headers | JSON)
    assert response.status_code in {400, 422}, response.text
    pointers = {error["pointer"] for error in response.json().get("errors", [])}
    assert_problem(response, response.status_code, *pointers)


def test_a_surrogate_pair_is_one_character(client: httpx.Client, alice: Account) -> None:
    response = client.post(
        "/api/v1/items", content=rb'{"title": "\ud83d\ude42", "body": ""}', headers=alice.headers | JSON
    )
    assert (response.status_code, response.json()["title"]) == (201, "🙂")


def test_a_mebibyte_is_read(client: httpx.Client) -> None:
    body = b'{"name": "' + b"n" * (MEBIBYTE - 12) + b'"}'
    assert len(body) == MEBIBYTE
    response = client.post("/api/v1/users", content=body, headers=JSON)
    assert_problem(response, 422, "/body/email", "/body/name", "/body/password")


@TAKES_A_BODY
def test_a_larger_body_is_refused(client: httpx.Client, alice: Account, route: str) -> None:
    assert_problem(send(client, alice, route, b"x" * (MEBIBYTE + 1)), 413)


def test_a_client_that_ignores_the_refusal_does_no_harm(client: httpx.Client) -> None:
    for _ in range(5):
        # The server may close the connection while the client still sends: then there is no answer to read.
        with suppress(httpx.TransportError):
            assert client.post("/api/v1/users", content=b"x" * (10 * MEBIBYTE), headers=JSON).status_code == 413
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("length", [10 * MEBIBYTE, 10**18, 2**63 - 1])
def test_a_larger_body_is_refused_before_it_was_sent(server: Server, length: int) -> None:
    request = (
        "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    assert_problem(send_raw(server.base_url, request.encode()), 413)


@TAKES_A_BODY
def test_a_larger_body_without_a_length_is_refused(client: httpx.Client, alice: Account, route: str) -> None:
    chunks = (b"x" * 65_536 for _ in range(17))
    assert_problem(send(client, alice, route, chunks), 413)


def test_an_endless_body_is_refused_while_it_is_sent(server: Server) -> None:
    request = (
        b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 65_536 + b"\r\n") * 17
    )
    assert_problem(send_raw(server.base_url, request), 413)


def test_a_body_without_a_length_is_read(client: httpx.Client, alice: Account) -> None:
    chunks = iter([b'{"title": "Tea', b'", "body": ""}'])
    response = client.post("/api/v1/items", content=chunks, headers=alice.headers | JSON)
    assert (response.status_code, response.json()["title"]) == (201, "Tea")


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


def test_bodies_where_none_is_expected_are_ignored(client: httpx.Client, alice: Account) -> None:
    arguments: dict[str, Any] = {"content": b"{", "headers": alice.headers | JSON}
    assert client.request("GET", "/api/v1/items", **arguments).status_code == 200
    assert client.post("/api/v1/exports", **arguments).status_code == 202


def test_a_problem_tells_no_secrets(client: httpx.Client) -> None:
    user = new_user()
    response = client.post("/api/v1/users", json=user | {"name": ""})
    assert user["password"] not in response.text
    assert user["email"] not in response.text
