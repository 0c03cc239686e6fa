"""What the server writes to its log."""

import functools
import uuid

import httpx
import pytest

from tests.contract.client import PASSWORD, Account, bearer, log_in, new_user
from tests.serving import Server, eventually

pytestmark = pytest.mark.variants("embedded", "one real")


@pytest.fixture
def log(server: Server) -> Server:
    if server.process is None:
        pytest.skip("reads the log: run it without --base-url")
    return server


def lines_with(server: Server, text: str) -> list[str]:
    assert server.process
    return [line for line in server.process.log.splitlines() if text in line]


def test_every_request_is_one_line_with_its_id(log: Server, client: httpx.Client) -> None:
    for method, path, status in (
        ("GET", "/api/v1/items", 200),
        ("GET", f"/api/v1/items/{uuid.uuid4()}", 404),
        ("POST", "/api/v1/exports", 401),
        ("GET", "/nothing/here", 404),
    ):
        request_id = uuid.uuid4().hex
        response = client.request(method, path, headers={"X-Request-ID": request_id})
        assert response.status_code == status
        eventually(functools.partial(lines_with, log, request_id))
        (line,) = lines_with(log, request_id)
        for part in (f"method={method}", f"path={path}", f"status={status}", "duration_ms="):
            assert part in line


def test_a_request_without_an_id_gets_one_in_the_log(log: Server, client: httpx.Client) -> None:
    request_id = client.get("/api/v1/items").headers["X-Request-ID"]
    assert len(eventually(lambda: lines_with(log, request_id))) == 1


def test_probes_do_not_fill_the_log(log: Server, client: httpx.Client) -> None:
    ids = {path: uuid.uuid4().hex for path in ("/health/live", "/health/ready", "/metrics")}
    for path, request_id in ids.items():
        client.get(path, headers={"X-Request-ID": request_id})
    last = client.get("/api/v1/items").headers["X-Request-ID"]
    eventually(lambda: lines_with(log, last))
    assert not [path for path, request_id in ids.items() if lines_with(log, request_id)]


def test_secrets_and_addresses_are_not_logged(log: Server, client: httpx.Client, alice: Account) -> None:
    user = new_user(password=f"{PASSWORD} {uuid.uuid4()}")
    client.post("/api/v1/users", json=user)
    client.post("/api/v1/users", json=user)
    client.post("/api/v1/users", json=user | {"name": ""})
    token = log_in(client, user["email"], user["password"]).json()["access_token"]
    log_in(client, user["email"], user["password"] + "!")
    client.post("/api/v1/tokens", content=f'{{"password": "{user["password"]}')
    client.get("/api/v1/users/me", headers=bearer(token))
    client.get("/api/v1/users/me", headers=bearer(token + "x"))
    client.post("/api/v1/exports", headers=bearer(token))
    last = client.get("/api/v1/items", params={"token": token}).headers["X-Request-ID"]
    eventually(lambda: lines_with(log, last))
    for secret in (user["password"], user["email"], token, token.split(".")[1], alice.email):
        assert lines_with(log, secret) == []


def test_client_errors_leave_no_traceback(log: Server, client: httpx.Client) -> None:
    assert log.process
    before = log.process.log.count("Traceback")
    client.post("/api/v1/users", content=b"{", headers={"Content-Type": "application/json"})
    client.post("/api/v1/users", json={})
    client.get("/nothing/here")
    client.get("/api/v1/items", headers={"Host": "evil.example"})
    last = client.get("/api/v1/items").headers["X-Request-ID"]
    eventually(lambda: lines_with(log, last))
    assert log.process.log.count("Traceback") == before
