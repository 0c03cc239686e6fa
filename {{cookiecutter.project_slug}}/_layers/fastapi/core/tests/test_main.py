"""What every answer has in common, and what is no part of the API."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from prometheus_client import REGISTRY
from prometheus_client.samples import Sample

from app.environment import PROJECT, TITLE
from tests.conftest import PASSWORD, Headers


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0


def samples() -> list[Sample]:
    return [sample for metric in REGISTRY.collect() for sample in metric.samples]


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


@pytest.mark.parametrize("path", ["/", "/docs", "/static/style.css", "/static/swagger-ui/swagger-ui-bundle.js"])
async def test_pages(client: AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.content
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize("path", ["/", "/api/v1/items", "/api/v1/users/me", "/nothing", "/health/live"])
async def test_security_headers(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "Strict-Transport-Security" not in headers


async def test_request_id(client: AsyncClient) -> None:
    assert (await client.get("/", headers={"X-Request-ID": "mine"})).headers["X-Request-ID"] == "mine"
    ids = {(await client.get("/", headers={"X-Request-ID": "not safe"})).headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2
    assert "not safe" not in ids


async def test_a_request_is_one_line_in_the_log(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    await client.get("/api/v1/items?limit=1", headers={"X-Request-ID": "mine"})
    (line,) = (line for line in lines(caplog) if line["event"] == "request")
    assert line["request_id"] == "mine"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/items", 200)
    assert line["duration_ms"] > 0


async def test_probes_are_logged_only_for_debugging(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    await client.get("/health/live")
    assert lines(caplog) == []
    with caplog.at_level(logging.DEBUG):
        await client.get("/health/live")
    assert [line["path"] for line in lines(caplog) if line["event"] == "request"] == ["/health/live"]


async def test_no_secret_is_logged(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    user = {"email": "secret@example.com", "name": "Ada", "password": PASSWORD}
    for _ in range(2):
        await client.post("/api/v1/users", json=user)
    await client.post("/api/v1/users", json=user | {"name": ""})
    credentials = {"email": user["email"], "password": PASSWORD}
    token = (await client.post("/api/v1/tokens", json=credentials)).json()["access_token"]
    await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert len(lines(caplog)) == 5
    assert not [secret for secret in (PASSWORD, user["email"], token) if secret in caplog.text]


async def test_requests_are_counted_by_route(client: AsyncClient) -> None:
    labels = {"method": "GET", "route": "/api/v1/items/{id}", "status": "404"}
    before = count(**labels)
    for _ in range(3):
        await client.get(f"/api/v1/items/{uuid4()}")
    assert count(**labels) == before + 3
    assert "http_request_duration_seconds_bucket" in (await client.get("/metrics")).text


async def test_unknown_paths_are_one_series(client: AsyncClient) -> None:
    await client.get("/unknown")
    labels = {"method": "GET", "route": "unknown", "status": "404"}
    before, series = count(**labels), len(samples())
    for number in range(20):
        await client.get(f"/{number}")
    assert count(**labels) == before + 20
    assert len(samples()) == series


async def test_document(client: AsyncClient, headers: Headers) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {
        "title": TITLE,
        "version": PROJECT["version"],
        "description": PROJECT["description"],
    }
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    operation = document["paths"]["/api/v1/items/{id}"]["patch"]
    assert operation["security"] == [{"bearerAuth": []}]
    assert list(operation["responses"]) == ["200", "400", "401", "403", "404", "412", "413", "415", "422"]
    assert operation["responses"]["422"]["content"].keys() == {"application/problem+json"}
    assert document["components"]["schemas"].keys() >= {"Problem", "FieldError"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
