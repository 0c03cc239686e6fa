from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from werkzeug.test import TestResponse

from app.users.models import User
from tests.conftest import Headers

TEA = {"title": "Tea", "body": "Two cups."}


def create(client: FlaskClient, headers: Headers, **fields: str) -> TestResponse:
    response = client.post("/api/v1/items", json=TEA | fields, headers=headers)
    assert response.status_code == 201
    return response


def hits() -> float:
    return REGISTRY.get_sample_value("cache_reads_total", {"result": "hit"}) or 0


def test_create(client: FlaskClient, user: User, headers: Headers) -> None:
    response = create(client, headers)
    item = response.get_json()
    assert response.headers["Location"] == f"/api/v1/items/{item['id']}"
    assert item["owner"] == {"id": str(user.id), "name": user.name}
    assert item["created_at"] == item["updated_at"]
    shown = client.get(response.headers["Location"])
    assert shown.data == response.data
    assert shown.headers["ETag"] == response.headers["ETag"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/title"),
        ({"title": " "}, "/body/title"),
        ({"title": "x" * 201}, "/body/title"),
        ({"title": "\0"}, "/body/title"),
        ({"body": "x" * 10_001}, "/body/body"),
        ({"owner": "me"}, "/body/owner"),
    ],
)
def test_bad_item(client: FlaskClient, headers: Headers, body: dict[str, Any], pointer: str) -> None:
    response = client.post("/api/v1/items", json=(TEA | body) if body else {}, headers=headers)
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.get_json(force=True)["errors"]]


def test_authentication_comes_before_validation(client: FlaskClient) -> None:
    assert client.post("/api/v1/items", data=b"{").status_code == 401


def test_pages(client: FlaskClient, headers: Headers, statements: list[str]) -> None:
    ids = [create(client, headers).get_json()["id"] for _ in range(5)][::-1]
    statements.clear()
    first = client.get("/api/v1/items?limit=2").get_json()
    assert len(statements) == 1
    assert [item["id"] for item in first["items"]] == ids[:2]
    assert first["next_cursor"] == ids[1]
    second = client.get(f"/api/v1/items?limit=3&cursor={ids[1]}").get_json()
    assert len(statements) == 2
    assert [item["id"] for item in second["items"]] == ids[2:]
    assert second["next_cursor"] is None


def test_a_warm_first_page_needs_no_database(client: FlaskClient, headers: Headers, statements: list[str]) -> None:
    def titles(query: str = "") -> list[str]:
        return [item["title"] for item in client.get(f"/api/v1/items{query}").get_json()["items"]]

    path = create(client, headers).headers["Location"]
    assert titles() == titles("?limit=2") == ["Tea"]
    statements.clear()
    assert titles() == titles("?limit=2") == ["Tea"]
    assert not statements
    create(client, headers, title="Coffee")
    assert titles() == titles("?limit=2") == ["Coffee", "Tea"]
    client.patch(path, json={"title": "Cocoa"}, headers=headers)
    assert titles() == titles("?limit=2") == ["Coffee", "Cocoa"]
    client.delete(path, headers=headers)
    assert titles() == titles("?limit=2") == ["Coffee"]


def test_what_is_not_there_is_not_kept(client: FlaskClient, statements: list[str]) -> None:
    path = f"/api/v1/items/{uuid4()}"
    assert [client.get(path).status_code for _ in range(2)] == [404, 404]
    assert len(statements) == 2


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=101", "/query/limit"),
        ("limit=x", "/query/limit"),
        ("cursor=7", "/query/cursor"),
    ],
)
def test_bad_page(client: FlaskClient, query: str, pointer: str) -> None:
    response = client.get(f"/api/v1/items?{query}")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json(force=True)["errors"]] == [pointer]


def test_a_warm_item_needs_no_database(client: FlaskClient, headers: Headers, statements: list[str]) -> None:
    path = create(client, headers).headers["Location"]
    cold = client.get(path)
    statements.clear()
    before = hits()
    assert client.get(path).data == cold.data
    assert not statements
    assert hits() == before + 1


def test_unchanged_items_are_not_sent_again(client: FlaskClient, headers: Headers) -> None:
    path = create(client, headers).headers["Location"]
    etag = client.get(path).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(path, headers={"If-None-Match": known})
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == etag
        assert response.headers["Cache-Control"] == "public, max-age=5"
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_may_cache(client: FlaskClient, headers: Headers) -> None:
    for path in ("/api/v1/items", create(client, headers).headers["Location"]):
        anonymous, known = client.get(path), client.get(path, headers=headers)
        assert anonymous.headers["Cache-Control"] == "public, max-age=5"
        assert known.headers["Cache-Control"] == "private, no-store"
        assert anonymous.headers["Vary"] == known.headers["Vary"] == "Authorization"


def test_update(client: FlaskClient, headers: Headers) -> None:
    created = create(client, headers)
    path = created.headers["Location"]
    client.get(path)
    changed = client.patch(path, json={"title": "Coffee"}, headers=headers)
    assert changed.status_code == 200
    item = changed.get_json()
    assert (item["title"], item["body"]) == ("Coffee", TEA["body"])
    assert item["updated_at"] > item["created_at"] == created.get_json()["created_at"]
    shown = client.get(path)
    assert shown.data == changed.data
    assert shown.headers["ETag"] == changed.headers["ETag"] != created.headers["ETag"]


def test_an_empty_update_changes_nothing(client: FlaskClient, headers: Headers) -> None:
    created = create(client, headers)
    response = client.patch(created.headers["Location"], json={}, headers=headers)
    assert response.data == created.data


def test_null_is_no_title(client: FlaskClient, headers: Headers) -> None:
    path = create(client, headers).headers["Location"]
    assert client.patch(path, json={"title": None}, headers=headers).status_code == 422


def test_delete(client: FlaskClient, headers: Headers) -> None:
    path = create(client, headers).headers["Location"]
    client.get(path)
    response = client.delete(path, headers=headers)
    assert (response.status_code, response.data) == (204, b"")
    assert client.get(path).status_code == 404
    assert client.delete(path, headers=headers).status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_who_may_change(client: FlaskClient, headers: Headers, other_headers: Headers, method: str) -> None:
    path = create(client, headers).headers["Location"]
    assert client.open(path, method=method, json={}).status_code == 401
    assert client.open(path, method=method, json={}, headers=other_headers).status_code == 403
    assert client.open(f"/api/v1/items/{uuid4()}", method=method, json={}, headers=headers).status_code == 404
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_changes_only_what_was_seen(client: FlaskClient, headers: Headers, method: str) -> None:
    def change(path: str, expected: str) -> int:
        return client.open(path, method=method, json={}, headers=headers | {"If-Match": expected}).status_code

    for right in ("{etag}", '"other", {etag}', "*"):
        created = create(client, headers)
        etag, path = created.headers["ETag"], created.headers["Location"]
        assert change(path, '"other"') == 412
        assert change(path, f"W/{etag}") == 412
        assert change(path, right.format(etag=etag)) in {200, 204}
