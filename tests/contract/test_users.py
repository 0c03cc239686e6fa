"""Signing up, logging in, and the current user."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.baking import BakedProject
from tests.contract.client import (
    PASSWORD,
    UNKNOWN_ID,
    Account,
    assert_problem,
    bearer,
    log_in,
    new_user,
    sign_up,
    together,
)
from tests.serving import Server

pytestmark = pytest.mark.variants("embedded", "one real of each framework")

USERS = "/api/v1/users"
TOKENS = "/api/v1/tokens"
ME = "/api/v1/users/me"


def test_sign_up_gives_the_user_and_where_it_is(client: httpx.Client) -> None:
    body = new_user(name="Ada Lovelace")
    response = client.post(USERS, json=body)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Location"] == ME
    user = response.json()
    assert user.keys() == {"id", "email", "name", "created_at"}
    assert (user["email"], user["name"]) == (body["email"], "Ada Lovelace")
    assert uuid.UUID(user["id"]).version == 7
    assert str(uuid.UUID(user["id"])) == user["id"]
    created = datetime.fromisoformat(user["created_at"])
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


def test_every_user_has_a_creation_time_of_its_own(client: httpx.Client) -> None:
    first, second = (client.post(USERS, json=new_user()).json()["created_at"] for _ in range(2))
    assert first < second


def test_names_are_stripped_and_addresses_are_lower_case(client: httpx.Client) -> None:
    email = new_user()["email"]
    user = client.post(USERS, json=new_user(email=email.upper(), name="  Grace  ")).json()
    assert (user["email"], user["name"]) == (email, "Grace")
    assert log_in(client, email.title()).status_code == 200


def test_names_and_passwords_may_hold_any_script(client: httpx.Client) -> None:
    user = new_user(name="Þóra O'Connor-山田 🙂", password="pässwörd-密码-🙂")
    response = client.post(USERS, json=user)
    assert response.status_code == 201
    assert response.json()["name"] == user["name"]
    assert log_in(client, user["email"], user["password"]).status_code == 200


@pytest.mark.parametrize("change", [str, str.upper], ids=["same case", "other case"])
def test_a_taken_address_is_refused(client: httpx.Client, alice: Account, change: Callable[[str], str]) -> None:
    assert_problem(client.post(USERS, json=new_user(email=change(alice.email))), 409)


def test_one_of_many_racing_sign_ups_wins(client: httpx.Client) -> None:
    user = new_user()
    responses = together(6, lambda _: client.post(USERS, json=user))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 5
    for response in responses:
        if response.status_code == 409:
            assert_problem(response, 409)
    assert log_in(client, user["email"]).status_code == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "nobody"}, "/body/email"),
        ({"email": "a@b@example.com"}, "/body/email"),
        ({"email": "a\x00@example.com"}, "/body/email"),
        ({"email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com"}, "/body/email"),
        ({"email": None}, "/body/email"),
        ({"email": ["a@example.com"]}, "/body/email"),
        ({"name": ""}, "/body/name"),
        ({"name": " \t "}, "/body/name"),
        ({"name": "n" * 101}, "/body/name"),
        ({"name": "nul\x00"}, "/body/name"),
        ({"name": 7}, "/body/name"),
        ({"password": "seven77"}, "/body/password"),
        ({"password": "p" * 129}, "/body/password"),
        ({"is_admin": True}, "/body/is_admin"),
        ({"id": UNKNOWN_ID}, "/body/id"),
        ({"a/b~c": 1}, "/body/a~1b~0c"),
    ],
)
def test_a_bad_field_is_pointed_at(client: httpx.Client, change: dict[str, Any], pointer: str) -> None:
    body = new_user() | change
    assert_problem(client.post(USERS, json=body), 422, pointer)


def test_every_missing_field_is_pointed_at(client: httpx.Client) -> None:
    assert_problem(client.post(USERS, json={}), 422, "/body/email", "/body/name", "/body/password")
    assert_problem(client.post(TOKENS, json={}), 422, "/body/email", "/body/password")


def test_a_refused_sign_up_leaves_no_account(client: httpx.Client) -> None:
    user = new_user()
    assert_problem(client.post(USERS, json=user | {"name": ""}), 422, "/body/name")
    assert_problem(log_in(client, user["email"]), 401)
    assert client.post(USERS, json=user).status_code == 201


def test_the_longest_password_works(client: httpx.Client) -> None:
    user = new_user(password="p" * 128)
    assert client.post(USERS, json=user).status_code == 201
    assert log_in(client, user["email"], "p" * 128).status_code == 200
    assert_problem(log_in(client, user["email"], "p" * 127), 401)


def test_log_in_gives_a_token(client: httpx.Client) -> None:
    user = new_user()
    client.post(USERS, json=user)
    response = log_in(client, user["email"])
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    token = response.json()
    assert token.keys() == {"access_token", "token_type", "expires_in"}
    assert token["token_type"] == "Bearer"
    assert isinstance(token["expires_in"], int)
    assert token["expires_in"] > 0
    assert client.get(ME, headers=bearer(token["access_token"])).json()["email"] == user["email"]


def test_a_wrong_password_and_an_unknown_account_look_alike(client: httpx.Client) -> None:
    user = new_user()
    client.post(USERS, json=user)
    wrong = log_in(client, user["email"], "wrong password")
    unknown = log_in(client, new_user()["email"])
    for response in (wrong, unknown):
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert wrong.json() == unknown.json()
    assert wrong.headers.keys() == unknown.headers.keys()


def test_a_wrong_password_and_an_unknown_account_take_equally_long(client: httpx.Client) -> None:
    def seconds(email: str) -> float:
        begin = time.perf_counter()
        assert log_in(client, email, "wrong password").status_code == 401
        return time.perf_counter() - begin

    user = new_user()
    client.post(USERS, json=user)
    known, unknown = zip(*((seconds(user["email"]), seconds(new_user()["email"])) for _ in range(4)), strict=True)
    assert 0.5 < min(known) / min(unknown) < 2


def test_the_current_user(client: httpx.Client, alice: Account) -> None:
    response = client.get(ME, headers=alice.headers)
    assert response.status_code == 200
    user = response.json()
    assert user.keys() == {"id", "email", "name", "created_at"}
    assert (user["id"], user["email"], user["name"]) == (alice.id, alice.email, alice.name)


def without_signature(token: str) -> str:
    return token.rpartition(".")[0] + "."


def with_other_claims(token: str) -> str:
    header, claims, signature = token.split(".")
    return f"{header}.{claims[:-2]}{'AA' if claims[-2:] != 'AA' else 'BB'}.{signature}"


def unsigned(token: str) -> str:
    # {"alg":"none","typ":"JWT"}
    return f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{token.split('.')[1]}."


@pytest.mark.parametrize(
    "spoil",
    [
        without_signature,
        with_other_claims,
        unsigned,
        lambda _: "nonsense",
        lambda _: "a.b.c",
        lambda _: "é".encode().decode("latin-1"),
        lambda token: f"{token} {token}",
        lambda token: token + "A" * 5000,
    ],
    ids=["no signature", "other claims", "alg none", "a word", "dots", "not ASCII", "two", "long"],
)
def test_a_bad_token_is_refused(client: httpx.Client, alice: Account, spoil: Callable[[str], str]) -> None:
    token = alice.headers["Authorization"].removeprefix("Bearer ")
    header = f"Bearer {spoil(token)}".encode("latin-1")
    response = client.get(ME, headers=[(b"Authorization", header)])
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YWxpY2U6c2VjcmV0", "Token abc"])
def test_a_request_without_a_token_is_refused(client: httpx.Client, header: str | None) -> None:
    response = client.get(ME, headers={} if header is None else {"Authorization": header})
    assert_problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_of_the_authorization_header_is_not_case_sensitive(client: httpx.Client, alice: Account) -> None:
    token = alice.headers["Authorization"].removeprefix("Bearer ")
    assert client.get(ME, headers={"Authorization": f"bearer {token}"}).status_code == 200


def token_from_inside(project: BakedProject, user_id: str, lifetime_seconds: int) -> str:
    code = (
        "from datetime import timedelta; from uuid import UUID; from app import tokens;"
        f"tokens.LIFETIME = timedelta(seconds={lifetime_seconds}); print(tokens.issue(UUID('{user_id}')))"
    )
    return project.run(".venv/bin/python", "-c", code).stdout.strip()


def test_an_expired_token_is_refused(
    server: Server, client: httpx.Client, project: BakedProject, alice: Account
) -> None:
    assert client.get(ME, headers=bearer(token_from_inside(project, alice.id, 60))).status_code == 200
    assert_problem(client.get(ME, headers=bearer(token_from_inside(project, alice.id, -1))), 401)


def test_the_token_of_a_deleted_user_is_refused(server: Server, client: httpx.Client, project: BakedProject) -> None:
    headers = bearer(token_from_inside(project, str(uuid.uuid4()), 60))
    assert_problem(client.get(ME, headers=headers), 401)
    assert_problem(client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers), 401)
    assert_problem(client.post("/api/v1/exports", headers=headers), 401)


def test_accounts_are_separate(client: httpx.Client) -> None:
    first, second = sign_up(client, "First"), sign_up(client, "Second")
    assert first.id != second.id
    assert [client.get(ME, headers=user.headers).json()["name"] for user in (first, second)] == ["First", "Second"]


def test_the_password_is_never_told(client: httpx.Client) -> None:
    user = new_user()
    created = client.post(USERS, json=user)
    refused = client.post(USERS, json=new_user() | {"name": ""})
    assert PASSWORD not in created.text + refused.text
