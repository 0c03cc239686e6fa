"""Bodies: media types, JSON that is none, and how much of it is read."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.contract.client import Account, assert_problem, create_item, send_raw
from tests.serving import Server

pytestmark = pytest.mark.variants("embedded", "one real")

MEBIBYTE = 1_048_576
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


def test_bodies_where_none_is_expected_are_ignored(client: httpx.Client, alice: Account) -> None:
    arguments: dict[str, Any] = {"content": b"{", "headers": alice.headers | JSON}
    assert client.request("GET", "/api/v1/items", **arguments).status_code == 200
    assert client.post("/api/v1/exports", **arguments).status_code == 202


def test_a_refusal_before_the_body_was_read_leaves_the_connection_usable(client: httpx.Client) -> None:
    """A server that closes it must say so: else the client's next request meets a closed connection."""
    for _ in range(200):
        assert_problem(client.post("/api/v1/items", json={"title": "Tea", "body": ""}), 401)
