"""Items: listing, creating, showing, changing and deleting them."""

import hashlib
import re
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.contract.client import Account, Json, assert_problem, create_item, sign_up, together, total

ITEMS = "/api/v1/items"
UNKNOWN = f"{ITEMS}/{uuid.uuid4()}"
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
    ({"owner": str(uuid.uuid4())}, "/body/owner"),
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


# Listing


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


@pytest.mark.parametrize("cursor", ["1", "", "null", "\x00", "'", str(uuid.uuid4())[:-1], "z" * 36, "9" * 5000])
def test_a_bad_cursor_is_refused(client: httpx.Client, cursor: str) -> None:
    assert_problem(client.get(ITEMS, params={"cursor": cursor}), 422, "/query/cursor")


def test_everything_that_is_wrong_with_a_query_is_told(client: httpx.Client) -> None:
    response = client.get(ITEMS, params={"limit": 0, "cursor": "x"})
    assert_problem(response, 422, "/query/limit", "/query/cursor")


# Showing


def test_the_etag_is_a_digest_of_the_body(client: httpx.Client, alice: Account) -> None:
    created = create_item(client, alice)
    shown = client.get(path(created.json()))
    assert shown.headers["ETag"] == f'"{hashlib.blake2b(shown.content, digest_size=16).hexdigest()}"'
    assert created.headers["ETag"] == shown.headers["ETag"]
    assert client.get(path(created.json())).headers["ETag"] == shown.headers["ETag"]


@pytest.mark.parametrize("match", ["{}", "W/{}", '"other", {}', 'W/"a,b",W/{} , "c"', "*", '"x",{},"y"'])
def test_a_client_that_has_the_item_gets_304(client: httpx.Client, alice: Account, match: str) -> None:
    created = create_item(client, alice)
    etag = created.headers["ETag"]
    response = client.get(path(created.json()), headers={"If-None-Match": match.format(etag)})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == "public, max-age=5"
    assert response.headers["Vary"] == "Authorization"


@pytest.mark.parametrize("match", [STALE, f"W/{STALE}", '"a", "b"', "nonsense", "", '"'])
def test_a_client_that_has_another_version_gets_the_item(client: httpx.Client, alice: Account, match: str) -> None:
    item = create_item(client, alice).json()
    response = client.get(path(item), headers={"If-None-Match": match})
    assert response.status_code == 200
    assert response.json() == item


def test_a_client_that_has_the_old_version_gets_the_new_one(client: httpx.Client, alice: Account) -> None:
    created = create_item(client, alice)
    changed = client.patch(path(created.json()), json={"title": "Coffee"}, headers=alice.headers)
    response = client.get(path(created.json()), headers={"If-None-Match": created.headers["ETag"]})
    assert (response.status_code, response.json()["title"]) == (200, "Coffee")
    assert response.headers["ETag"] == changed.headers["ETag"] != created.headers["ETag"]


@pytest.mark.parametrize("item_id", [str(uuid.uuid4()), "1", "me", "%00", "%FF", "a" * 3000, "%27%20OR%201=1"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["plain", "conditional"])
def test_an_unknown_item_is_not_found(client: httpx.Client, item_id: str, headers: dict[str, str]) -> None:
    assert_problem(client.get(f"{ITEMS}/{item_id}", headers=headers), 404)


def test_the_second_read_comes_from_the_cache(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    bodies = [client.get(path(item)).content]
    hits, misses = (total(client, "cache_reads_total", result=result) for result in ("hit", "miss"))
    bodies += [client.get(path(item)).content for _ in range(5)]
    assert total(client, "cache_reads_total", result="hit") == hits + 5
    assert total(client, "cache_reads_total", result="miss") == misses
    assert len(set(bodies)) == 1


# Changing


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


def test_every_change_is_seen_at_once(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    for number in range(50):
        changed = client.patch(path(item), json={"body": str(number)}, headers=alice.headers)
        assert changed.status_code == 200
        assert client.get(path(item)).content == changed.content


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


@pytest.mark.parametrize("match", [STALE, '"a", "b"', "W/{}", "nonsense"])
def test_a_stale_change_is_refused(client: httpx.Client, alice: Account, match: str) -> None:
    created = create_item(client, alice)
    item, headers = created.json(), alice.headers | {"If-Match": match.format(created.headers["ETag"])}
    assert_problem(client.patch(path(item), json={"title": "Coffee"}, headers=headers), 412)
    assert_problem(client.delete(path(item), headers=headers), 412)
    assert client.get(path(item)).json() == item


@pytest.mark.parametrize("match", ["{}", '"other", {}', "*", '"a,b",{}'])
def test_a_change_of_the_current_version_is_made(client: httpx.Client, alice: Account, match: str) -> None:
    created = create_item(client, alice)
    headers = alice.headers | {"If-Match": match.format(created.headers["ETag"])}
    changed = client.patch(path(created.json()), json={"title": "Coffee"}, headers=headers)
    assert (changed.status_code, changed.json()["title"]) == (200, "Coffee")
    headers = alice.headers | {"If-Match": match.format(changed.headers["ETag"])}
    assert client.delete(path(created.json()), headers=headers).status_code == 204


def test_one_of_many_racing_changes_of_a_version_wins(client: httpx.Client, alice: Account) -> None:
    created = create_item(client, alice)
    headers = alice.headers | {"If-Match": created.headers["ETag"]}
    responses = together(
        8, lambda number: client.patch(path(created.json()), json={"title": f"Tea {number}"}, headers=headers)
    )
    assert sorted(response.status_code for response in responses) == [200] + [412] * 7
    (winner,) = (response for response in responses if response.status_code == 200)
    assert client.get(path(created.json())).content == winner.content


def test_racing_changes_without_a_version_are_all_made(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    responses = together(8, lambda number: client.patch(path(item), json={"body": str(number)}, headers=alice.headers))
    assert [response.status_code for response in responses] == [200] * 8
    assert client.get(path(item)).content in [response.content for response in responses]


def test_a_reader_never_keeps_an_old_version_in_the_cache(client: httpx.Client, alice: Account) -> None:
    """Readers that found the old row must not store it once the change was answered."""
    item = create_item(client, alice).json()

    def change_or_read(number: int) -> None:
        for turn in range(25):
            if number:
                assert client.get(path(item)).status_code == 200
            else:
                changed = client.patch(path(item), json={"body": str(turn)}, headers=alice.headers)
                assert client.get(path(item)).content == changed.content

    together(4, change_or_read)


def test_deleting(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    assert client.get(path(item)).status_code == 200
    response = client.delete(path(item), headers=alice.headers)
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers
    assert_problem(client.get(path(item)), 404)
    assert_problem(client.delete(path(item), headers=alice.headers), 404)
    assert item["id"] not in listed(client, limit=100)[0]


def test_the_owner_of_an_item_is_told_without_the_address(client: httpx.Client) -> None:
    user = sign_up(client, "Grace")
    response = create_item(client, user)
    assert user.email not in response.text + client.get(ITEMS).text


def test_titles_in_a_problem_are_not_html(client: httpx.Client, alice: Account) -> None:
    response = client.post(ITEMS, json={"<script>": 1, "title": "Tea", "body": ""}, headers=alice.headers)
    assert_problem(response, 422, "/body/<script>")
    assert re.match(r"application/problem\+json", response.headers["Content-Type"])
