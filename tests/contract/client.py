"""What the tests say to a server, and how they read its answers."""

import http.client
import ipaddress
import json
import random
import socket
import ssl
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

type Json = dict[str, Any]

# The id of nothing: written out, so that a test has the same name in every run.
UNKNOWN_ID = "0197f000-0000-7000-8000-000000000000"
PASSWORD = "correct horse battery staple"
_TLS = ssl.create_default_context()


def client_address() -> str:
    """A loopback address that no other test has used: the server limits tries per client address."""
    return str(ipaddress.ip_address("127.1.0.0") + random.randrange(0x00FE_0000))


def connect(base_url: str, address: str | None = None) -> httpx.Client:
    """A client with an address of its own where the server is on this machine."""
    host = httpx.URL(base_url).host
    local = (address or client_address()) if host == "127.0.0.1" else None
    transport = httpx.HTTPTransport(
        local_address=local, verify=_TLS, limits=httpx.Limits(max_connections=None, max_keepalive_connections=20)
    )
    return httpx.Client(base_url=base_url, transport=transport, timeout=20)


def send_raw(base_url: str, request: bytes, address: str | None = None) -> httpx.Response:
    """The answer to exactly these bytes, which a well-behaved client might refuse to send."""
    url = httpx.URL(base_url)
    source = (address or client_address(), 0) if url.host == "127.0.0.1" else None
    with socket.create_connection((url.host, url.port or 80), timeout=20, source_address=source) as connection:
        connection.sendall(request)
        return read_response(connection, request.split(b" ")[0].decode("latin-1"))


def read_response(connection: socket.socket, method: str) -> httpx.Response:
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return httpx.Response(response.status, headers=response.getheaders(), content=response.read())


@dataclass(frozen=True)
class Account:
    """A user who is logged in."""

    id: str
    email: str
    name: str
    headers: dict[str, str]


def new_user(**fields: str) -> Json:
    """The body of a sign-up that succeeds."""
    return {"email": f"{uuid.uuid4().hex}@example.com", "name": "Ada Lovelace", "password": PASSWORD} | fields


def log_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/v1/tokens", json={"email": email, "password": password})


def sign_up(client: httpx.Client, name: str = "Ada Lovelace") -> Account:
    user = client.post("/api/v1/users", json=new_user(name=name))
    assert user.status_code == 201, user.text
    token = log_in(client, user.json()["email"])
    assert token.status_code == 200, token.text
    return Account(**select(user.json(), "id", "email", "name"), headers=bearer(token.json()["access_token"]))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def create_item(client: httpx.Client, owner: Account, title: str = "Tea", body: str = "Two cups.") -> httpx.Response:
    response = client.post("/api/v1/items", json={"title": title, "body": body}, headers=owner.headers)
    assert response.status_code == 201, response.text
    return response


def select(record: Json, *names: str) -> Json:
    return {name: record[name] for name in names}


def assert_problem(response: httpx.Response, status: int, *pointers: str) -> None:
    """The answer is a problem document (RFC 9457) of this status, about exactly these values of the request."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem.keys() <= {"type", "title", "status", "detail", "errors"}
    assert sorted({error["pointer"] for error in problem.get("errors", [])}) == sorted(pointers)
    assert all(error["detail"] for error in problem.get("errors", []))
    assert response.headers["Cache-Control"] == "private, no-store"


def together[T](count: int, call: Callable[[int], T]) -> list[T]:
    """The results of `call(0)`, `call(1)`, …, all begun at the same moment."""
    barrier = Barrier(count)

    def wait_and_call(number: int) -> T:
        barrier.wait(timeout=20)
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_call, range(count)))


def samples(client: httpx.Client, name: str) -> dict[frozenset[tuple[str, str]], float]:
    """A metric's values by their labels."""
    text = client.get("/metrics").text
    return {
        frozenset(sample.labels.items()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def total(client: httpx.Client, name: str, **labels: str) -> float:
    """The sum of a metric over the series that have these labels."""
    return sum(value for series, value in samples(client, name).items() if labels.items() <= dict(series).items())
