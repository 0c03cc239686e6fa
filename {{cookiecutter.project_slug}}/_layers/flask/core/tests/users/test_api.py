import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import jwt
import pytest
from apiflask import APIFlask
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.database import db, transaction
from app.environment import environment
from app.passwords import needs_rehash
from app.users.models import User
from tests.conftest import PASSWORD, Headers, wait_for_a_new_minute

NEW = {"email": "Ada@Example.com", "name": " Ada ", "password": PASSWORD}


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    return client.post("/api/v1/tokens", json={"email": email, "password": password})


def pointers(response: TestResponse) -> list[str]:
    return [error["pointer"] for error in response.get_json(force=True)["errors"]]


def test_sign_up_log_in_and_look(client: FlaskClient) -> None:
    created = client.post("/api/v1/users", json=NEW)
    assert created.status_code == 201
    assert created.headers["Location"] == "/api/v1/users/me"
    token = log_in(client, "ada@example.COM")
    assert token.status_code == 200
    body = token.get_json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    me = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.status_code == 200
    assert me.get_json() == created.get_json()
    assert me.get_json().keys() == {"id", "email", "name", "created_at"}
    assert (me.get_json()["email"], me.get_json()["name"]) == ("ada@example.com", "Ada")
    assert datetime.fromisoformat(me.get_json()["created_at"]).utcoffset() is not None
    assert me.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "ada"}, "/body/email"),
        ({"name": " "}, "/body/name"),
        ({"name": None}, "/body/name"),
        ({"password": "short"}, "/body/password"),
        ({"password": "x" * 129}, "/body/password"),
        ({"role": "admin"}, "/body/role"),
    ],
)
def test_bad_sign_up(client: FlaskClient, change: dict[str, Any], pointer: str) -> None:
    response = client.post("/api/v1/users", json=NEW | change)
    assert response.status_code == 422
    assert pointers(response) == [pointer]


def test_two_sign_ups_race_for_an_address(app: APIFlask) -> None:
    barrier = Barrier(2)

    def sign_up(_: int) -> int:
        barrier.wait()
        return app.test_client().post("/api/v1/users", json=NEW).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sign_up, range(2))) == [201, 409]


def test_wrong_password_and_unknown_account_look_the_same(client: FlaskClient, user: User) -> None:
    wrong = log_in(client, user.email, "wrong password")
    unknown = log_in(client, "nobody@example.com")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data
    assert wrong.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"] == "Bearer"


def test_tries_for_one_account(client: FlaskClient, user: User) -> None:
    wait_for_a_new_minute()
    passwords = (PASSWORD, "wrong", "wrong", "wrong", "wrong")
    assert [log_in(client, user.email.upper(), password).status_code for password in passwords] == [200, *[401] * 4]
    refused = log_in(client, user.email)
    assert refused.status_code == 429
    assert refused.mimetype == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert log_in(client, "nobody@example.com").status_code == 401


def test_tries_from_one_address(client: FlaskClient) -> None:
    def status(email: str, address: str, proxy: str) -> int:
        return client.post(
            "/api/v1/tokens",
            json={"email": email, "password": PASSWORD},
            headers={"X-Forwarded-For": address},
            environ_base={"REMOTE_ADDR": proxy},
        ).status_code

    wait_for_a_new_minute()
    # An unknown proxy may tell whatever it likes.
    tries = [status("ada@example.com", f"192.0.2.{number}", "198.51.100.1") for number in range(20)]
    assert tries == [401] * 5 + [429] * 15
    assert status("bob@example.com", "192.0.2.20", "198.51.100.1") == 429
    assert status("bob@example.com", "198.51.100.1", "127.0.0.1") == 429
    assert status("bob@example.com", "192.0.2.20", "127.0.0.1") == 401


def test_log_in_rehashes(app: APIFlask, client: FlaskClient, user: User) -> None:
    def stored() -> User:
        with app.app_context():
            found = db.session.get(User, user.id)
            assert found
            return found

    with app.app_context(), transaction():
        db.session.merge(User(id=user.id, password=PasswordHasher(time_cost=1).hash(PASSWORD)))
    assert needs_rehash(stored().password)
    assert log_in(client, user.email).status_code == 200
    assert not needs_rehash(stored().password)
    assert log_in(client, user.email).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", "Basic eDp4", "Bearer a.b.c"])
def test_without_a_valid_token(client: FlaskClient, authorization: str | None) -> None:
    response = client.get("/api/v1/users/me", headers={"Authorization": authorization} if authorization else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.mimetype == "application/problem+json"


def test_the_token_of_a_deleted_user(app: APIFlask, client: FlaskClient, user: User, headers: Headers) -> None:
    with app.app_context(), transaction():
        db.session.delete(db.session.get_one(User, user.id))
    assert client.get("/api/v1/users/me", headers=headers).status_code == 401


@pytest.mark.parametrize(("key", "status"), [("the-key-before", 200), ("somebody-elses-key", 401)])
def test_a_token_signed_with_another_key(client: FlaskClient, user: User, key: str, status: int) -> None:
    code = f"from uuid import UUID; from app import tokens; print(tokens.issue(UUID('{user.id}')))"
    token = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        env=os.environ | {"SECRET_KEY": key},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    response = client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == status


def test_an_unsigned_token(client: FlaskClient, headers: Headers) -> None:
    token = headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none", headers={"kid": jwt.get_unverified_header(token)["kid"]})
    assert client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {unsigned}"}).status_code == 401
    assert environment.secret_key not in token
