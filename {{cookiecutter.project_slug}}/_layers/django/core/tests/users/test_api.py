from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from app import tokens
from app.users.models import User
from tests.conftest import JSON, assert_problem, client_of, together, wait_for_a_new_minute

PASSWORD = "correct horse battery"
GRACE = {"email": "Grace@Example.com", "name": " Grace ", "password": PASSWORD}


class OldHasher(Argon2PasswordHasher):
    memory_cost = 512


def old_user() -> User:
    return User.objects.create(email="old@example.com", name="Old", password=OldHasher().encode(PASSWORD, "saltsalt"))


def test_sign_up(client: Client) -> None:
    response = client.post("/api/v1/users", GRACE, JSON)
    assert response.status_code == 201
    assert response["Location"] == "/api/v1/users/me"
    user = User.objects.get()
    assert response.json() == {
        "id": str(user.id),
        "email": "grace@example.com",
        "name": "Grace",
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(PASSWORD)


def test_an_address_signs_up_once(client: Client, grace: User) -> None:
    assert_problem(client.post("/api/v1/users", GRACE, JSON), 409)


def test_an_address_signs_up_once_when_several_race() -> None:
    statuses = together(3, lambda: Client().post("/api/v1/users", GRACE, JSON).status_code)
    assert sorted(statuses) == [201, 409, 409]


def test_a_sign_up_is_validated(client: Client) -> None:
    response = client.post("/api/v1/users", {"email": "x", "name": "", "password": "short", "admin": True}, JSON)
    assert_problem(response, 422, "/body/email", "/body/name", "/body/password", "/body/admin")
    assert not User.objects.exists()


def test_logging_in(client: Client) -> None:
    user = old_user()
    response = client.post("/api/v1/tokens", {"email": "OLD@example.com", "password": PASSWORD}, JSON)
    assert response.status_code == 200
    token = response.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert tokens.verify(token["access_token"]) == user.id


def test_logging_in_renews_an_old_hash(client: Client) -> None:
    user = old_user()
    assert Argon2PasswordHasher().must_update(user.password)
    client.post("/api/v1/tokens", {"email": user.email, "password": PASSWORD}, JSON)
    user.refresh_from_db()
    assert not Argon2PasswordHasher().must_update(user.password)
    assert user.check_password(PASSWORD)


def test_a_wrong_password_and_an_unknown_account_look_alike(client: Client) -> None:
    old_user()
    wrong = client.post("/api/v1/tokens", {"email": "old@example.com", "password": "wrong"}, JSON)
    unknown = client.post("/api/v1/tokens", {"email": "nobody@example.com", "password": "wrong"}, JSON)
    assert_problem(wrong, 401)
    assert wrong["WWW-Authenticate"] == unknown["WWW-Authenticate"] == "Bearer"
    assert wrong.json() == unknown.json()


def test_a_closed_account_is_shut_out(client: Client, ada: User) -> None:
    User.objects.filter(id=ada.id).update(is_active=False)
    assert_problem(client_of(ada).get("/api/v1/users/me"), 401)


def test_too_many_tries_for_an_account(client: Client) -> None:
    wait_for_a_new_minute()
    credentials = {"email": "nobody@example.com", "password": "wrong"}
    for number in range(5):
        response = client.post("/api/v1/tokens", credentials, JSON, REMOTE_ADDR=f"192.0.2.{number}")
        assert response.status_code == 401
    response = client.post("/api/v1/tokens", credentials, JSON)
    assert_problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 60


def test_the_current_user(as_ada: Client, ada: User) -> None:
    response = as_ada.get("/api/v1/users/me")
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert (response.json()["id"], response.json()["email"]) == (str(ada.id), ada.email)


def test_a_token_of_a_deleted_user(as_ada: Client, ada: User) -> None:
    ada.delete()
    assert_problem(as_ada.get("/api/v1/users/me"), 401)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", "Basic x", "Bearer a.b.c"])
def test_no_token_and_no_real_token(client: Client, authorization: str | None) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    response = client.get("/api/v1/users/me", headers=headers)
    assert_problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LIFETIME", timedelta(seconds=-1))
    assert_problem(client_of(ada).get("/api/v1/users/me"), 401)


def test_a_forged_token(client: Client) -> None:
    forged = jwt.encode({"sub": str(uuid4())}, "another key of thirty-two characters", "HS256")
    assert_problem(client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {forged}"}), 401)
