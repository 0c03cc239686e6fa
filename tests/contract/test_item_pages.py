"""Listing items, newest first, page by page."""

import httpx
import pytest

from tests.contract.client import UNKNOWN_ID, Account, Json, assert_problem, create_item

ITEMS = "/api/v1/items"


def path(item: Json) -> str:
    return f"{ITEMS}/{item['id']}"


def listed(client: httpx.Client, **query: str | int | None) -> tuple[list[str], str | None]:
    """The ids on a page and the cursor of the next."""
    response = client.get(ITEMS, params={name: value for name, value in query.items() if value is not None})
    assert response.status_code == 200, response.text
    page = response.json()
    assert page.keys() == {"items", "next_cursor"}
    return [item["id"] for item in page["items"]], page["next_cursor"]


def test_the_newest_items_come_first(client: httpx.Client, alice: Account) -> None:
    created = [create_item(client, alice).json()["id"] for _ in range(5)]
    ids, _ = listed(client, limit=5)
    assert ids == created[::-1]


def test_a_page_holds_20_items_unless_the_client_says(client: httpx.Client, alice: Account) -> None:
    for _ in range(21):
        create_item(client, alice)
    for query, length in (({}, 20), ({"limit": 1}, 1), ({"limit": 21}, 21)):
        ids, cursor = listed(client, **query)
        assert len(ids) == length
        assert cursor in (ids[-1], None)


def test_pages_neither_repeat_nor_lose_items_while_others_are_added(client: httpx.Client, alice: Account) -> None:
    expected = [create_item(client, alice).json()["id"] for _ in range(45)][::-1]
    added: list[str] = []
    found: list[str] = []
    cursor: str | None = None
    while len(found) < 45:
        ids, cursor = listed(client, limit=10, cursor=cursor)
        assert len(ids) == 10 or cursor is None
        assert cursor in (ids[-1], None)
        found += ids
        added.append(create_item(client, alice).json()["id"])
    assert found[:45] == expected
    assert found == sorted(set(found), reverse=True)
    assert not set(added) & set(found)


def test_the_last_page_has_no_cursor(client: httpx.Client, alice: Account) -> None:
    for _ in range(3):
        create_item(client, alice)
    ids, cursor = listed(client, limit=100)
    while cursor:
        previous, (ids, cursor) = ids, listed(client, limit=100, cursor=cursor)
        assert ids, "a cursor must lead to an item"
        assert ids[0] < previous[-1]
    second_to_last_page, cursor = listed(client, limit=100, cursor=ids[0])
    assert second_to_last_page == ids[1:]
    assert cursor is None
    assert listed(client, cursor=ids[-1]) == ([], None)


def test_a_page_stays_the_same_when_its_cursor_item_is_deleted(client: httpx.Client, alice: Account) -> None:
    items = [create_item(client, alice).json() for _ in range(4)]
    _, cursor = listed(client, limit=2)
    assert cursor == items[2]["id"]
    expected = listed(client, limit=2, cursor=cursor)
    assert client.delete(path(items[2]), headers=alice.headers).status_code == 204
    assert listed(client, limit=2, cursor=cursor) == expected


@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "9" * 30, "1.5", "abc", "", "1e1", "0x10", "NaN", "\x00", "\uff11"]
)
def test_a_bad_limit_is_refused(client: httpx.Client, limit: str) -> None:
    assert_problem(client.get(ITEMS, params={"limit": limit}), 422, "/query/limit")


@pytest.mark.parametrize("cursor", ["1", "", "null", "\x00", "'", UNKNOWN_ID[:-1], "z" * 36, "9" * 5000])
def test_a_bad_cursor_is_refused(client: httpx.Client, cursor: str) -> None:
    assert_problem(client.get(ITEMS, params={"cursor": cursor}), 422, "/query/cursor")


def test_everything_that_is_wrong_with_a_query_is_told(client: httpx.Client) -> None:
    response = client.get(ITEMS, params={"limit": 0, "cursor": "x"})
    assert_problem(response, 422, "/query/limit", "/query/cursor")
