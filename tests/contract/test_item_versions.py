"""Versions of an item: conditional requests (RFC 9110, section 13) and the cache."""

import hashlib

import httpx
import pytest

from tests.contract.client import Account, Json, assert_problem, create_item, together, total

ITEMS = "/api/v1/items"
STALE = '"0123456789abcdef0123456789abcdef"'


def path(item: Json) -> str:
    return f"{ITEMS}/{item['id']}"


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


def test_every_change_is_seen_at_once(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    for number in range(50):
        changed = client.patch(path(item), json={"body": str(number)}, headers=alice.headers)
        assert changed.status_code == 200
        assert client.get(path(item)).content == changed.content


def test_the_second_read_comes_from_the_cache(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    bodies = [client.get(path(item)).content]
    hits, misses = (total(client, "cache_reads_total", result=result) for result in ("hit", "miss"))
    bodies += [client.get(path(item)).content for _ in range(5)]
    assert total(client, "cache_reads_total", result="hit") == hits + 5
    assert total(client, "cache_reads_total", result="miss") == misses
    assert len(set(bodies)) == 1


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
