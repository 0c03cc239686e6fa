"""What probes and scrapers see."""

import uuid

import httpx
import pytest

from tests.contract.client import UNKNOWN_ID, Account, create_item, samples, total
from tests.contract.variants import Variant
from tests.serving import eventually

BY_ADDRESS = {"Host": "10.11.12.13:8000"}


@pytest.mark.parametrize("headers", [{}, BY_ADDRESS], ids=["by name", "by address"])
def test_the_process_lives(client: httpx.Client, headers: dict[str, str]) -> None:
    response = client.get("/health/live", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize("headers", [{}, BY_ADDRESS], ids=["by name", "by address"])
def test_the_process_is_ready(client: httpx.Client, variant: Variant | str, headers: dict[str, str]) -> None:
    response = client.get("/health/ready", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    parts = response.json()["parts"]
    assert response.json() == {"status": "ok", "parts": dict.fromkeys(parts, "ok")}
    assert parts.keys() - {"broker"} == {"database", "cache"}
    if isinstance(variant, Variant):
        assert ("broker" in parts) == variant.has_broker


@pytest.mark.parametrize("headers", [{}, BY_ADDRESS], ids=["by name", "by address"])
def test_metrics_are_prometheus_text(client: httpx.Client, headers: dict[str, str]) -> None:
    client.get("/api/v1/items")
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "# TYPE http_requests_total counter" in response.text
    assert "# TYPE http_request_duration_seconds histogram" in response.text


def count(client: httpx.Client, method: str, route: str, status: int) -> float:
    return total(client, "http_requests_total", method=method, route=route, status=str(status))


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/v1/items?limit=1", "/api/v1/items", 200),
        ("GET", "/api/v1/items?limit=0", "/api/v1/items", 422),
        ("POST", "/api/v1/items", "/api/v1/items", 401),
        ("GET", f"/api/v1/items/{UNKNOWN_ID}", "/api/v1/items/{id}", 404),
        ("PATCH", f"/api/v1/items/{UNKNOWN_ID}", "/api/v1/items/{id}", 401),
        ("DELETE", f"/api/v1/items/{UNKNOWN_ID}", "/api/v1/items/{id}", 401),
        ("GET", f"/api/v1/jobs/{UNKNOWN_ID}", "/api/v1/jobs/{id}", 401),
        ("POST", "/api/v1/exports", "/api/v1/exports", 401),
        ("GET", "/api/v1/users/me", "/api/v1/users/me", 401),
        ("POST", "/api/v1/users", "/api/v1/users", 415),
        ("POST", "/api/v1/tokens", "/api/v1/tokens", 415),
        ("GET", "/health/live", "/health/live", 200),
        ("GET", "/nothing/here", "unknown", 404),
    ],
)
def test_every_request_is_counted_once_by_its_route(
    client: httpx.Client, method: str, path: str, route: str, status: int
) -> None:
    before = count(client, method, route, status)
    for _ in range(3):
        response = client.request(method, path, content=b"x" if status == 415 else b"")
        assert response.status_code == status, response.text
    eventually(lambda: count(client, method, route, status) >= before + 3)
    assert count(client, method, route, status) == before + 3


def test_durations_are_observed(client: httpx.Client) -> None:
    labels = {"method": "GET", "route": "/api/v1/items"}
    before = total(client, "http_request_duration_seconds_count", **labels)
    seconds = total(client, "http_request_duration_seconds_sum", **labels)
    assert client.get("/api/v1/items").status_code == 200
    eventually(lambda: total(client, "http_request_duration_seconds_count", **labels) == before + 1)
    assert 0 < total(client, "http_request_duration_seconds_sum", **labels) - seconds < 10


def test_unknown_paths_are_one_series(client: httpx.Client) -> None:
    client.get("/nothing/here")
    series = samples(client, "http_requests_total").keys()
    before = count(client, "GET", "unknown", 404)
    for _ in range(200):
        assert client.get(f"/{uuid.uuid4()}").status_code == 404
    eventually(lambda: count(client, "GET", "unknown", 404) >= before + 200)
    assert {dict(added)["route"] for added in samples(client, "http_requests_total").keys() - series} <= {
        "unknown",
        "/metrics",
    }


def test_ids_never_become_series(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    client.get(f"/api/v1/items/{item['id']}")
    assert item["id"] not in client.get("/metrics").text


def test_made_up_methods_are_one_series_at_most(client: httpx.Client) -> None:
    before = samples(client, "http_requests_total").keys()
    for number in range(20):
        assert 400 <= client.request(f"BREW{number}", "/api/v1/items").status_code < 500
    assert len(samples(client, "http_requests_total").keys() - before) <= 2


def test_cache_reads_are_counted(client: httpx.Client, alice: Account) -> None:
    item = create_item(client, alice).json()
    reads = total(client, "cache_reads_total")
    for _ in range(3):
        client.get(f"/api/v1/items/{item['id']}")
    assert total(client, "cache_reads_total") == reads + 3
