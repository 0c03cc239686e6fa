from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models.signals import post_save
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from app.items.models import Item
from app.users.models import User
from tests.conftest import JSON, assert_problem, client_of, connected, together

TEA = {"title": " Tea ", "body": "Two cups."}


def path(item: Item) -> str:
    return f"/api/v1/items/{item.id}"


def test_creating(as_ada: Client, ada: User) -> None:
    response = as_ada.post("/api/v1/items", TEA, JSON)
    assert response.status_code == 201
    item = Item.objects.get()
    assert response["Location"] == path(item)
    body = response.json()
    assert (body["title"], body["body"]) == ("Tea", "Two cups.")
    assert body["owner"] == {"id": str(ada.id), "name": "Ada"}
    shown = as_ada.get(path(item))
    assert (shown.json(), shown["ETag"]) == (body, response["ETag"])


def test_each_item_has_its_own_time(ada: User) -> None:
    first, second = (Item.objects.create(owner=ada, title="Tea", body="") for _ in range(2))
    assert first.created_at < second.created_at


def test_only_users_create(client: Client) -> None:
    assert_problem(client.post("/api/v1/items", {"nonsense": True}, JSON), 401)
    assert not Item.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/body/title", "/body/body"]),
        ({"title": " ", "body": ""}, ["/body/title"]),
        ({"title": "Tea", "body": "x" * 10_001}, ["/body/body"]),
        ({"title": "Tea", "body": "", "owner": 1}, ["/body/owner"]),
        ({"title": "Tea\0", "body": ""}, ["/body/title"]),
        ([], ["/body"]),
    ],
)
def test_what_is_created_is_validated(as_ada: Client, body: object, pointers: list[str]) -> None:
    assert_problem(as_ada.post("/api/v1/items", body, JSON), 422, *pointers)


def test_pages(client: Client, ada: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ids = [str(Item.objects.create(owner=ada, title=f"Tea {number}", body="").id) for number in range(5)]
    seen, cursor = [], None
    while True:
        with django_assert_num_queries(1):
            page = client.get("/api/v1/items", {"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert cursor == seen[-1]
    assert seen == ids[::-1]


def test_the_first_page_comes_from_the_cache(
    client: Client, as_ada: Client, item: Item, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def titles() -> list[str]:
        return [item["title"] for item in client.get("/api/v1/items?limit=2").json()["items"]]

    with django_assert_num_queries(1):
        assert [titles(), titles()] == [["Tea"], ["Tea"]]
    as_ada.post("/api/v1/items", {"title": "Coffee", "body": ""}, JSON)
    assert titles() == ["Coffee", "Tea"]
    as_ada.patch(f"/api/v1/items/{item.id}", {"title": "Cocoa"}, JSON)
    assert titles() == ["Coffee", "Cocoa"]
    as_ada.delete(f"/api/v1/items/{item.id}")
    assert titles() == ["Coffee"]


def test_the_other_pages_do_not(client: Client, item: Item, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(2):
        with django_assert_num_queries(1):
            client.get(f"/api/v1/items?cursor={item.id}")


def test_a_full_last_page_has_no_next(client: Client, item: Item) -> None:
    assert client.get("/api/v1/items?limit=1").json()["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit="])
def test_a_bad_limit(client: Client, query: str) -> None:
    assert_problem(client.get(f"/api/v1/items?{query}"), 422, "/query/limit")


def test_a_bad_cursor(client: Client) -> None:
    assert_problem(client.get("/api/v1/items?cursor=x"), 422, "/query/cursor")


def test_only_public_answers_are_public(client: Client, as_ada: Client, item: Item) -> None:
    for address in ("/api/v1/items", path(item)):
        public, private = client.get(address), as_ada.get(address)
        assert (public["Cache-Control"], public["Vary"]) == ("public, max-age=5", "Authorization")
        assert (private["Cache-Control"], private["Vary"]) == ("private, no-store", "Authorization")


def test_a_warm_item_takes_no_statement(
    client: Client, item: Item, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        cold = client.get(path(item))
    with django_assert_num_queries(0):
        warm = client.get(path(item))
    assert (warm.content, warm["ETag"]) == (cold.content, cold["ETag"])


@pytest.mark.parametrize("match", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_client_has_is_not_sent_again(client: Client, item: Item, match: str) -> None:
    shown = client.get(path(item))
    response = client.get(path(item), headers={"If-None-Match": match.format(shown["ETag"])})
    assert (response.status_code, response.content) == (304, b"")
    for header in ("ETag", "Cache-Control", "Vary"):
        assert response[header] == shown[header]
    assert "Content-Type" not in response
    assert "Content-Length" not in response


def test_what_the_client_has_no_longer_is_sent(client: Client, item: Item) -> None:
    assert client.get(path(item), headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("item_id", [str(uuid4()), "x", "1"])
def test_an_unknown_item(client: Client, as_ada: Client, item_id: str) -> None:
    assert_problem(client.get(f"/api/v1/items/{item_id}"), 404)
    assert_problem(as_ada.patch(f"/api/v1/items/{item_id}", {}, JSON), 404)
    assert_problem(as_ada.delete(f"/api/v1/items/{item_id}"), 404)


def test_changing(as_ada: Client, client: Client, item: Item) -> None:
    before = client.get(path(item))
    response = as_ada.patch(path(item), {"title": "Coffee"}, JSON)
    assert response.status_code == 200
    assert (response.json()["title"], response.json()["body"]) == ("Coffee", "Two cups.")
    assert response.json()["updated_at"] > before.json()["updated_at"]
    after = client.get(path(item))
    assert (after.json(), after["ETag"]) == (response.json(), response["ETag"])
    assert after["ETag"] != before["ETag"]


def test_changing_nothing(as_ada: Client, client: Client, item: Item) -> None:
    before = client.get(path(item))
    response = as_ada.patch(path(item), {}, JSON)
    assert (response.status_code, response.content) == (200, before.content)


@pytest.mark.parametrize(("field", "value"), [("title", None), ("title", ""), ("body", None), ("id", "x")])
def test_a_change_is_validated(as_ada: Client, item: Item, field: str, value: object) -> None:
    assert_problem(as_ada.patch(path(item), {field: value}, JSON), 422, f"/body/{field}")


def test_only_the_owner_changes_and_deletes(client: Client, as_grace: Client, item: Item) -> None:
    for somebody, status in ((client, 401), (as_grace, 403)):
        assert_problem(somebody.patch(path(item), {"title": "Mine"}, JSON), status)
        assert_problem(somebody.delete(path(item)), status)
    item.refresh_from_db()
    assert item.title == "Tea"


@pytest.mark.parametrize("match", ['"other"', "W/{}", "nonsense"])
def test_a_change_of_an_older_version_is_refused(as_ada: Client, item: Item, match: str) -> None:
    headers = {"If-Match": match.format(as_ada.get(path(item))["ETag"])}
    assert_problem(as_ada.patch(path(item), {"title": "Coffee"}, JSON, headers=headers), 412)
    assert_problem(as_ada.delete(path(item), headers=headers), 412)


@pytest.mark.parametrize("match", ["{}", '"other", {}', "*"])
def test_a_change_of_the_current_version_is_made(as_ada: Client, item: Item, match: str) -> None:
    headers = {"If-Match": match.format(as_ada.get(path(item))["ETag"])}
    assert as_ada.patch(path(item), {"title": "Coffee"}, JSON, headers=headers).status_code == 200


def test_one_of_two_changes_of_the_same_version_is_made(as_ada: Client, ada: User, item: Item) -> None:
    headers = {"If-Match": as_ada.get(path(item))["ETag"]}
    statuses = together(
        2, lambda: client_of(ada).patch(path(item), {"title": "Coffee"}, JSON, headers=headers).status_code
    )
    assert sorted(statuses) == [200, 412]


def test_a_change_waits_for_the_one_before(as_ada: Client, ada: User, item: Item) -> None:
    headers = {"If-Match": as_ada.get(path(item))["ETag"]}

    def change() -> int:
        return client_of(ada).patch(path(item), {"title": "Coffee"}, JSON, headers=headers).status_code

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Item.objects.select_for_update().get(id=item.id)
            waiting = pool.submit(connected, change)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
            item.save()
        assert waiting.result() == 412


def test_a_change_that_fails_changes_nothing(as_ada: Client, client: Client, item: Item) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError

    before = client.get(path(item)).content
    post_save.connect(fail, sender=Item)
    try:
        assert_problem(as_ada.patch(path(item), {"title": "Coffee"}, JSON), 500)
    finally:
        post_save.disconnect(fail, sender=Item)
    item.refresh_from_db()
    assert item.title == "Tea"
    assert client.get(path(item)).content == before


def test_deleting(as_ada: Client, client: Client, item: Item) -> None:
    client.get(path(item))
    response = as_ada.delete(path(item))
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    assert_problem(client.get(path(item)), 404)


def test_the_items_of_a_deleted_user_are_gone(client: Client, ada: User, item: Item) -> None:
    client.get(path(item))
    ada.delete()
    assert_problem(client.get(path(item)), 404)
