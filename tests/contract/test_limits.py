"""Tries are limited: log-ins per account and per client address, sign-ups per client address."""

import random
from collections.abc import Callable

import httpx
import pytest

from tests.contract.client import PASSWORD, assert_problem, connect, log_in, new_user, together
from tests.serving import Server

TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 20
SIGN_UPS_PER_ADDRESS = 20


def assert_limited(attempt: Callable[[], httpx.Response], window_seconds: int) -> None:
    """Too many tries were made. The server estimates how many: when a window ends while a test runs, one or two more
    than there should be are let through: https://limits.readthedocs.io/en/stable/strategies.html
    """
    for _ in range(3):
        response = attempt()
        if response.status_code == 429:
            break
    assert_problem(response, 429)
    assert response.headers["Retry-After"].isdigit()
    assert 1 <= int(response.headers["Retry-After"]) <= window_seconds


@pytest.fixture(autouse=True)
def own_addresses(server: Server) -> None:
    if httpx.URL(server.base_url).host != "127.0.0.1":
        pytest.skip("needs clients with addresses of their own: run the server on 127.0.0.1")


def forwarded_for() -> dict[str, str]:
    """What a proxy tells of a client that no other test has."""
    return {"X-Forwarded-For": f"203.{'.'.join(str(random.randrange(256)) for _ in range(3))}"}


def credentials() -> dict[str, str]:
    return {"email": new_user()["email"], "password": PASSWORD}


def test_tries_for_one_account(server: Server, client: httpx.Client) -> None:
    user = new_user()
    client.post("/api/v1/users", json=user)
    for _ in range(TRIES_PER_ACCOUNT):
        assert_problem(log_in(client, user["email"], "wrong password"), 401)
    assert_limited(lambda: log_in(client, user["email"], "wrong password"), 60)
    assert_limited(lambda: log_in(client, user["email"], PASSWORD), 60)
    assert_limited(lambda: log_in(client, user["email"].upper(), PASSWORD), 60)
    with connect(server.base_url) as elsewhere:
        assert_limited(lambda: log_in(elsewhere, user["email"], PASSWORD), 60)
    other = new_user()
    client.post("/api/v1/users", json=other)
    assert log_in(client, other["email"]).status_code == 200


def test_right_passwords_count_too(client: httpx.Client) -> None:
    user = new_user()
    client.post("/api/v1/users", json=user)
    for _ in range(TRIES_PER_ACCOUNT):
        assert log_in(client, user["email"]).status_code == 200
    assert_limited(lambda: log_in(client, user["email"]), 60)


def test_tries_for_an_unknown_account_count_too(client: httpx.Client) -> None:
    email = new_user()["email"]
    for _ in range(TRIES_PER_ACCOUNT):
        assert_problem(log_in(client, email), 401)
    assert_limited(lambda: log_in(client, email), 60)


def test_tries_from_one_address(server: Server, client: httpx.Client) -> None:
    def log_in_elsewhere(_: int) -> httpx.Response:
        # What a client says about its address is not believed: only a proxy's word is.
        return client.post("/api/v1/tokens", json=credentials(), headers=forwarded_for())

    for response in together(TRIES_PER_ADDRESS, log_in_elsewhere):
        assert_problem(response, 401)
    assert_limited(lambda: log_in_elsewhere(0), 60)
    assert client.get("/api/v1/items?limit=1").status_code == 200
    assert client.post("/api/v1/users", json=new_user()).status_code == 201
    with connect(server.base_url) as other:
        assert_problem(other.post("/api/v1/tokens", json=credentials()), 401)


def test_sign_ups_from_one_address(server: Server, client: httpx.Client) -> None:
    user = new_user()
    responses = together(SIGN_UPS_PER_ADDRESS, lambda _: client.post("/api/v1/users", json=user))
    assert sorted(response.status_code for response in responses) == [201] + [409] * (SIGN_UPS_PER_ADDRESS - 1)
    assert_limited(lambda: client.post("/api/v1/users", json=new_user()), 3600)
    assert log_in(client, user["email"]).status_code == 200
    with connect(server.base_url) as other:
        assert other.post("/api/v1/users", json=new_user()).status_code == 201


def test_a_believed_proxy_tells_the_clients_address(server: Server) -> None:
    here, elsewhere = forwarded_for(), forwarded_for()
    # A proxy appends the address that it saw: what stands before that is the client's own invention.
    invented = {"X-Forwarded-For": f"198.51.100.7, {here['X-Forwarded-For']}"}
    with connect(server.base_url, "127.0.0.1") as proxy:
        tries = together(TRIES_PER_ADDRESS, lambda _: proxy.post("/api/v1/tokens", json=credentials(), headers=here))
        for response in tries:
            assert_problem(response, 401)
        assert_limited(lambda: proxy.post("/api/v1/tokens", json=credentials(), headers=here), 60)
        assert_limited(lambda: proxy.post("/api/v1/tokens", json=credentials(), headers=invented), 60)
        assert_problem(proxy.post("/api/v1/tokens", json=credentials(), headers=elsewhere), 401)
