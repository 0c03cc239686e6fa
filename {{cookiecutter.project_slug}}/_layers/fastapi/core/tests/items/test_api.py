import asyncio
from hashlib import blake2b
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient, Response

from app.database import writing
from app.items.models import Item
from app.users.models import User
from tests.conftest import Headers, Statements, assert_problem, on_postgresql

TEA = {"title": "Tea", "body": "Two cups."}
STALE = '"stale"'


async def create(client: AsyncClient, headers: Headers) -> Response:
    response = await client.post("/api/v1/items", json=TEA, headers=headers)
    assert response.status_code == 201, response.text
    return response


async def test_create(client: AsyncClient, user: User, headers: Headers) -> None:
    response = await create(client, headers)
    item = response.json()
    assert response.headers["Location"] == f"/api/v1/items/{item['id']}"
    assert item["owner"] == {"id": str(user.id), "name": user.name}
    assert item["created_at"] == item["updated_at"]
    shown = await client.get(response.headers["Location"])
    assert shown.content == response.content
    assert shown.headers["ETag"] == response.headers["ETag"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": " "}, "/body/title"),
        ({"title": "x" * 201}, "/body/title"),
        ({"title": "\0"}, "/body/title"),
        ({"title": None}, "/body/title"),
        ({"body": "x" * 10_001}, "/body/body"),
        ({"a/b~c": 1}, "/body/a~1b~0c"),
    ],
)
async def test_bad_item(client: AsyncClient, headers: Headers, change: dict[str, Any], pointer: str) -> None:
    created = await create(client, headers)
    assert_problem(await client.post("/api/v1/items", json=TEA | change, headers=headers), 422, pointer)
    assert_problem(await client.patch(created.headers["Location"], json=change, headers=headers), 422, pointer)


async def test_pages(client: AsyncClient, headers: Headers, statements: Statements) -> None:
    ids = [(await create(client, headers)).json()["id"] for _ in range(5)][::-1]
    statements.clear()
    first = (await client.get("/api/v1/items?limit=2")).json()
    assert len(statements) == 1
    assert (await client.get("/api/v1/items?limit=2")).json() == first
    assert len(statements) == 1
    assert [item["id"] for item in first["items"]] == ids[:2]
    assert first["next_cursor"] == ids[1]
    second = (await client.get(f"/api/v1/items?limit=3&cursor={ids[1]}")).json()
    assert [item["id"] for item in second["items"]] == ids[2:]
    assert second["next_cursor"] is None
    assert len(statements) == 2
    await client.get(f"/api/v1/items?limit=3&cursor={ids[1]}")
    assert len(statements) == 3


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=7", "cursor="])
async def test_bad_page(client: AsyncClient, query: str) -> None:
    assert_problem(await client.get(f"/api/v1/items?{query}"), 422, f"/query/{query.partition('=')[0]}")


async def test_the_first_page_is_never_older_than_a_change(client: AsyncClient, headers: Headers) -> None:
    async def titles() -> list[str]:
        return [item["title"] for item in (await client.get("/api/v1/items")).json()["items"]]

    assert await titles() == []
    path = (await create(client, headers)).headers["Location"]
    assert await titles() == ["Tea"]
    await client.patch(path, json={"title": "Coffee"}, headers=headers)
    assert await titles() == ["Coffee"]
    await client.delete(path, headers=headers)
    assert await titles() == []


async def test_many_readers_of_what_is_not_cached_run_one_statement(
    client: AsyncClient, headers: Headers, statements: Statements
) -> None:
    path = (await create(client, headers)).headers["Location"]
    for cold in (path, "/api/v1/items?limit=7"):
        statements.clear()
        responses = await asyncio.gather(*(client.get(cold) for _ in range(100)))
        assert {response.status_code for response in responses} == {200}
        assert len(statements) == 1


async def test_a_warm_item_runs_no_statement(client: AsyncClient, headers: Headers, statements: Statements) -> None:
    path = (await create(client, headers)).headers["Location"]
    cold = await client.get(path)
    statements.clear()
    warm = await client.get(path)
    assert statements == []
    assert warm.content == cold.content
    assert warm.headers["ETag"] == f'"{blake2b(warm.content, digest_size=16).hexdigest()}"'


async def test_not_modified(client: AsyncClient, headers: Headers) -> None:
    created = await create(client, headers)
    tag = created.headers["ETag"]
    for match in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        response = await client.get(created.headers["Location"], headers={"If-None-Match": match})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == tag
        assert response.headers["Cache-Control"] == "public, max-age=5"
    response = await client.get(created.headers["Location"], headers={"If-None-Match": STALE})
    assert response.status_code == 200


async def test_only_anonymous_answers_are_public(client: AsyncClient, headers: Headers) -> None:
    for path in ("/api/v1/items", (await create(client, headers)).headers["Location"]):
        public, private = await client.get(path), await client.get(path, headers=headers)
        assert public.headers["Cache-Control"] == "public, max-age=5"
        assert private.headers["Cache-Control"] == "private, no-store"
        assert public.headers["Vary"] == private.headers["Vary"] == "Authorization"


async def test_change(client: AsyncClient, headers: Headers) -> None:
    created = await create(client, headers)
    path, item = created.headers["Location"], created.json()
    await client.get(path)
    response = await client.patch(path, json={"title": " Coffee "}, headers=headers)
    assert response.status_code == 200
    assert response.json() == item | {"title": "Coffee", "updated_at": response.json()["updated_at"]}
    assert response.json()["updated_at"] > item["updated_at"]
    shown = await client.get(path)
    assert shown.content == response.content
    assert shown.headers["ETag"] == response.headers["ETag"] != created.headers["ETag"]
    assert (await client.patch(path, json={}, headers=headers)).status_code == 200


async def test_delete(client: AsyncClient, headers: Headers) -> None:
    path = (await create(client, headers)).headers["Location"]
    await client.get(path)
    response = await client.delete(path, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert_problem(await client.get(path), 404)
    assert_problem(await client.delete(path, headers=headers), 404)


async def test_only_the_owner_changes(client: AsyncClient, headers: Headers, other_headers: Headers) -> None:
    path = (await create(client, headers)).headers["Location"]
    for other, status in (({}, 401), (other_headers, 403)):
        assert_problem(await client.patch(path, json={"title": "Mine"}, headers=other), status)
        assert_problem(await client.delete(path, headers=other), status)
    assert_problem(await client.patch(f"/api/v1/items/{uuid4()}", json={}, headers=headers), 404)


async def test_authentication_comes_before_validation(client: AsyncClient) -> None:
    assert_problem(await client.post("/api/v1/items", json={}), 401)
    assert_problem(await client.patch("/api/v1/items/7", content=b"x"), 401)


async def test_a_stale_change_is_refused(client: AsyncClient, headers: Headers) -> None:
    created = await create(client, headers)
    path, tag = created.headers["Location"], created.headers["ETag"]
    for match in (STALE, f"W/{tag}"):
        expecting = headers | {"If-Match": match}
        assert_problem(await client.patch(path, json={"title": "Coffee"}, headers=expecting), 412)
        assert_problem(await client.delete(path, headers=expecting), 412)
    assert (await client.patch(path, json={}, headers=headers | {"If-Match": f'"x", {tag}'})).status_code == 200
    assert (await client.delete(path, headers=headers | {"If-Match": "*"})).status_code == 204


async def test_one_of_many_racing_changes_wins(client: AsyncClient, headers: Headers) -> None:
    created = await create(client, headers)
    path, expecting = created.headers["Location"], headers | {"If-Match": created.headers["ETag"]}
    changes = (client.patch(path, json={"title": f"Tea {number}"}, headers=expecting) for number in range(8))
    responses = await asyncio.gather(*changes)
    assert sorted(response.status_code for response in responses) == [200] + [412] * 7


@on_postgresql
async def test_a_change_waits_for_another(client: AsyncClient, headers: Headers) -> None:
    created = await create(client, headers)
    path, expecting = created.headers["Location"], headers | {"If-Match": created.headers["ETag"]}
    async with writing.begin() as session:
        item = await session.get_one(Item, UUID(created.json()["id"]), with_for_update={"of": Item})
        item.title = "Coffee"
        change = asyncio.create_task(client.patch(path, json={"title": "Milk"}, headers=expecting))
        assert await asyncio.wait([change], timeout=0.3) == (set(), {change})
    assert_problem(await change, 412)


async def test_readers_never_keep_an_old_version(client: AsyncClient, headers: Headers) -> None:
    path = (await create(client, headers)).headers["Location"]

    async def read() -> None:
        for _ in range(30):
            await client.get(path)

    async def change() -> None:
        for number in range(10):
            changed = await client.patch(path, json={"body": str(number)}, headers=headers)
            assert (await client.get(path)).content == changed.content

    await asyncio.gather(read(), read(), change())
