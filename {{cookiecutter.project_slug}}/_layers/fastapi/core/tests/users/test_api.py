import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher
from httpx import AsyncClient
from limits import RateLimitItem
from sqlalchemy import delete, select, update

from app import limits
from app.database import reading, writing
from app.passwords import needs_rehash
from app.users.models import User
from tests.conftest import PASSWORD, Headers, assert_problem, wait_for_a_new_minute

ADA = {"email": "ada@example.com", "name": "Ada Lovelace", "password": PASSWORD}


async def tried(times: int, limit: RateLimitItem, whose: str) -> None:
    await wait_for_a_new_minute()
    for _ in range(times):
        await limits.count(limit, whose)


async def test_sign_up(client: AsyncClient) -> None:
    response = await client.post("/api/v1/users", json=ADA | {"email": "Ada@Example.com", "name": " Ada "})
    assert response.status_code == 201
    assert response.headers["Location"] == "/api/v1/users/me"
    assert response.headers["Cache-Control"] == "private, no-store"
    user = response.json()
    assert user.keys() == {"id", "email", "name", "created_at"}
    assert (user["email"], user["name"]) == ("ada@example.com", "Ada")


async def test_an_address_is_taken_once(client: AsyncClient) -> None:
    responses = await asyncio.gather(*(client.post("/api/v1/users", json=ADA) for _ in range(5)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409]
    assert_problem(await client.post("/api/v1/users", json=ADA | {"email": "ADA@example.com"}), 409)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "nobody"}, "/body/email"),
        ({"name": " "}, "/body/name"),
        ({"password": "short"}, "/body/password"),
        ({"admin": True}, "/body/admin"),
    ],
)
async def test_bad_sign_up(client: AsyncClient, change: dict[str, Any], pointer: str) -> None:
    response = await client.post("/api/v1/users", json=ADA | change)
    assert_problem(response, 422, pointer)
    assert PASSWORD not in response.text


async def test_sign_ups_are_limited_by_address(client: AsyncClient, address: str) -> None:
    await tried(19, limits.SIGN_UPS_PER_ADDRESS, address)
    assert (await client.post("/api/v1/users", json=ADA)).status_code == 201
    response = await client.post("/api/v1/users", json=ADA)
    assert_problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 3600


async def test_log_in(client: AsyncClient, user: User) -> None:
    response = await client.post("/api/v1/tokens", json={"email": user.email.upper(), "password": PASSWORD})
    assert response.status_code == 200
    token = response.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    me = await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert (me.status_code, me.json()["id"]) == (200, str(user.id))
    assert me.headers["Cache-Control"] == "private, no-store"


async def test_wrong_password_and_unknown_account_look_alike(client: AsyncClient, user: User) -> None:
    wrong = await client.post("/api/v1/tokens", json={"email": user.email, "password": "wrong"})
    unknown = await client.post("/api/v1/tokens", json={"email": "x@example.com", "password": "wrong"})
    for response in (wrong, unknown):
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert wrong.content == unknown.content


async def test_log_ins_are_limited_by_account(client: AsyncClient, user: User) -> None:
    await tried(4, limits.LOGINS_PER_ACCOUNT, user.email)
    credentials = {"email": user.email, "password": PASSWORD}
    assert (await client.post("/api/v1/tokens", json=credentials)).status_code == 200
    response = await client.post("/api/v1/tokens", json=credentials)
    assert_problem(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_log_ins_are_limited_by_address(client: AsyncClient, address: str) -> None:
    await tried(19, limits.LOGINS_PER_ADDRESS, address)
    for number, status in enumerate((401, 429)):
        credentials = {"email": f"{number}@example.com", "password": PASSWORD}
        assert_problem(await client.post("/api/v1/tokens", json=credentials), status)


async def test_log_in_brings_an_old_hash_up_to_date(client: AsyncClient, user: User) -> None:
    old = PasswordHasher(time_cost=1).hash(PASSWORD)
    async with writing.begin() as session:
        await session.execute(update(User).values(password=old))
    for _ in range(2):
        response = await client.post("/api/v1/tokens", json={"email": user.email, "password": PASSWORD})
        assert response.status_code == 200
        async with reading() as session:
            assert not needs_rehash(await session.scalar(select(User.password)) or "")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}])
async def test_current_user_without_a_token(client: AsyncClient, header: Headers) -> None:
    response = await client.get("/api/v1/users/me", headers=header)
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_the_token_of_a_deleted_user_is_refused(client: AsyncClient, headers: Headers) -> None:
    async with writing.begin() as session:
        await session.execute(delete(User))
    assert_problem(await client.get("/api/v1/users/me", headers=headers), 401)
