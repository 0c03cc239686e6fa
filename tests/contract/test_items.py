"""Items: creating, showing, changing and deleting them."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.contract.client import UNKNOWN_ID, Account, Json, assert_problem, create_item, sign_up

ITEMS = "/api/v1/items"
UNKNOWN = f"{ITEMS}/{UNKNOWN_ID}"
STALE = '"0123456789abcdef0123456789abcdef"'


def path(item: Json) -> str:
    return f"{ITEMS}/{item['id']}"


def test_creating_gives_the_item_and_where_it_is(client: httpx.Client, alice: Account) -> None:
    response = create_item(client, alice, title="  Tea  ", body=" Two cups. ")
    item = response.json()
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Location"] == path(item)
    assert item.keys() == {"id", "title", "body", "owner", "created_at", "updated_at"}
    assert (item["title"], item["body"]) == ("Tea", " Two cups. ")
    assert item["owner"] == {"id": alice.id, "name": alice.name}
    assert uuid.UUID(item["id"]).version == 7
    for moment in (datetime.fromisoformat(item[name]) for name in ("created_at", "updated_at")):
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)


def test_a_created_item_is_shown_and_listed_at_once(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    assert client.get(path(item)).json() == item
    assert client.get(ITEMS).json()["items"][0] == item


def test_text_comes_back_as_it_was_sent(client: httpx.Client, alice: Account) -> None:
    title, body = "Þé 山 🙂 <b>&amp;\"'\\", "line\nline\r\n\t\u2028 {{ x }} %s ' OR 1=1 --\u0301"
    item = create_item(client, alice, title=title, body=body).json()
    shown = client.get(path(item)).json()
    assert (shown["title"], shown["body"]) == (title, body)


def test_limits_of_length(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice, title="t" * 200, body="🙂" * 10_000).json()
    assert (len(item["title"]), len(item["body"])) == (200, 10_000)
    assert create_item(client, alice, body="").json()["body"] == ""


BAD_FIELDS = [
    ({"title": ""}, "/body/title"),
    ({"title": "  "}, "/body/title"),
    ({"title": "t" * 201}, "/body/title"),
    ({"title": "nul\x00"}, "/body/title"),
    ({"title": None}, "/body/title"),
    ({"title": {"a": 1}}, "/body/title"),
    ({"body": "b" * 10_001}, "/body/body"),
    ({"body": "\x00"}, "/body/body"),
    ({"body": None}, "/body/body"),
    ({"owner": UNKNOWN_ID}, "/body/owner"),
]


@pytest.mark.parametrize(("change", "pointer"), BAD_FIELDS)
def test_creating_with_a_bad_field(client: httpx.Client, alice: Account, change: Json, pointer: str) -> None:
    body = {"title": "Tea", "body": ""} | change
    assert_problem(client.post(ITEMS, json=body, headers=alice.headers), 422, pointer)


@pytest.mark.parametrize(("change", "pointer"), BAD_FIELDS)
def test_changing_to_a_bad_field(client: httpx.Client, alice: Account, change: Json, pointer: str) -> None:
    item = create_item(client, alice).json()
    assert_problem(client.patch(path(item), json=change, headers=alice.headers), 422, pointer)
    assert client.get(path(item)).json() == item


def test_creating_without_fields(client: httpx.Client, alice: Account) -> None:
    assert_problem(client.post(ITEMS, json={}, headers=alice.headers), 422, "/body/title", "/body/body")


def test_only_users_create_change_and_delete(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    for response in (
        client.post(ITEMS, json={"title": "Tea", "body": ""}),
        client.patch(path(item), json={"title": "Coffee"}),
        client.delete(path(item)),
    ):
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get(path(item)).json() == item


def test_authentication_comes_before_validation(client: httpx.Client) -> None:
    assert_problem(client.post(ITEMS, json={"title": 7}), 401)
    assert_problem(client.patch(UNKNOWN, json={"title": None}), 401)


@pytest.mark.parametrize("item_id", [UNKNOWN_ID, "1", "me", "%00", "%FF", "a" * 3000, "%27%20OR%201=1"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["plain", "conditional"])
def test_an_unknown_item_is_not_found(client: httpx.Client, item_id: str, headers: dict[str, str]) -> None:
    assert_problem(client.get(f"{ITEMS}/{item_id}", headers=headers), 404)


def test_only_what_was_sent_changes(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice, title="Tea", body="Two cups.").json()
    response = client.patch(path(item), json={"title": " Coffee "}, headers=alice.headers)
    assert response.status_code == 200
    changed = response.json()
    assert changed == item | {"title": "Coffee", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > item["updated_at"]
    shown = client.get(path(item))
    assert shown.json() == changed
    assert shown.headers["ETag"] == response.headers["ETag"]


def test_an_empty_change_is_fine(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    response = client.patch(path(item), json={}, headers=alice.headers)
    assert response.status_code == 200
    assert response.json() == item | {"updated_at": response.json()["updated_at"]}
    assert client.get(path(item)).json() == response.json()


def test_a_body_can_be_emptied(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    assert client.patch(path(item), json={"body": ""}, headers=alice.headers).json()["body"] == ""


def test_another_user_neither_changes_nor_deletes(client: httpx.Client, alice: Account, bob: Account) -> None:
    item = create_item(client, alice).json()
    for headers in (bob.headers, bob.headers | {"If-Match": STALE}):
        assert_problem(client.patch(path(item), json={"title": "Mine"}, headers=headers), 403)
        assert_problem(client.delete(path(item), headers=headers), 403)
    assert client.get(path(item)).json() == item


def test_an_unknown_item_is_neither_changed_nor_deleted(client: httpx.Client, alice: Account) -> None:
    for headers in (alice.headers, alice.headers | {"If-Match": "*"}):
        for unknown in (UNKNOWN, f"{ITEMS}/1"):
            assert_problem(client.patch(unknown, json={"title": "Mine"}, headers=headers), 404)
            assert_problem(client.delete(unknown, headers=headers), 404)


def test_deleting(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    assert client.get(path(item)).status_code == 200
    response = client.delete(path(item), headers=alice.headers)
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers
    assert_problem(client.get(path(item)), 404)
    assert_problem(client.delete(path(item), headers=alice.headers), 404)
    assert item not in client.get(ITEMS, params={"limit": 100}).json()["items"]


def test_the_owner_of_an_item_is_told_without_the_address(client: httpx.Client) -> None:
    user = sign_up(client, "Grace")
    response = create_item(client, user)
    assert user.email not in response.text + client.get(ITEMS).text


def test_titles_in_a_problem_are_not_html(client: httpx.Client, alice: Account) -> None:
    response = client.post(ITEMS, json={"<script>": 1, "title": "Tea", "body": ""}, headers=alice.headers)
    assert_problem(response, 422, "/body/<script>")
    assert re.match(r"application/problem\+json", response.headers["Content-Type"])
