import logging
from contextlib import closing

import pytest
from django.db.models.signals import post_save
from django.test import Client
from prometheus_client import REGISTRY

from app.items.models import Item
from app.users.models import User
from tests.conftest import JSON, assert_problem


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0


def test_every_answer_carries_the_security_headers(client: Client) -> None:
    for path in ("/", "/api/v1/items", "/api/v1/nothing", "/health/live", "/static/style.css", "/admin/login/"):
        with closing(client.get(path)) as response:
            pass
        assert response["X-Request-ID"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Content-Security-Policy"] == (
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        )
        assert "Strict-Transport-Security" not in response


def test_the_clients_request_id_is_kept_when_it_is_safe(client: Client) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"
    assert client.get("/health/live", headers={"X-Request-ID": "a b\n"})["X-Request-ID"] != "a b\n"


def test_requests_are_counted_by_their_route(client: Client, item: Item) -> None:
    series = {"method": "GET", "route": "/api/v1/items/{id}", "status": "200"}
    before = count(**series)
    for _ in range(2):
        client.get(f"/api/v1/items/{item.id}")
    assert count(**series) == before + 2
    assert b'route="/api/v1/items/{id}"' in client.get("/metrics").content


def test_unknown_paths_are_one_series(client: Client) -> None:
    series = {"method": "GET", "route": "unknown", "status": "404"}
    before = count(**series)
    for path in ("/a", "/b/c", "/api/v1/d"):
        client.get(path)
    assert count(**series) == before + 3


def test_cache_reads_are_counted(client: Client, item: Item) -> None:
    def reads() -> list[float]:
        return [REGISTRY.get_sample_value("cache_reads_total", {"result": r}) or 0 for r in ("miss", "hit")]

    misses, hits = reads()
    for _ in range(3):
        client.get(f"/api/v1/items/{item.id}")
    assert reads() == [misses + 1, hits + 2]


def test_a_request_is_logged_once(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = client.get("/api/v1/items?cursor=x", headers={"X-Request-ID": "abc-1"})
    (record,) = caplog.records
    line = record.msg
    assert isinstance(line, dict)
    assert (line["event"], line["method"], line["path"]) == ("request", "GET", "/api/v1/items")
    assert (line["status"], line["request_id"]) == (response.status_code, "abc-1")
    assert line["duration_ms"] >= 0
    assert record.levelname == "INFO"


def test_probes_are_logged_for_debugging_only(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for path in ("/health/live", "/metrics"):
            client.get(path)
    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG"]


def test_an_unhandled_exception_is_logged_once(as_ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("boom")

    post_save.connect(fail, sender=Item)
    try:
        response = as_ada.post("/api/v1/items", {"title": "Tea", "body": ""}, JSON)
    finally:
        post_save.disconnect(fail, sender=Item)
    assert_problem(response, 500)
    assert "boom" not in response.content.decode()
    assert [record.exc_info is not None for record in caplog.records] == [True, False]


def test_logs_hold_no_secret(client: Client, as_ada: Client, caplog: pytest.LogCaptureFixture) -> None:
    person = {"email": "secret@example.com", "name": "Secret", "password": "secret password"}
    client.post("/api/v1/users", person, JSON)
    login = client.post("/api/v1/tokens", {"email": person["email"], "password": person["password"]}, JSON)
    client.post("/api/v1/tokens", {"email": person["email"], "password": "secret wrong"}, JSON)
    as_ada.get("/api/v1/users/me")
    logged = "\n".join(str(record.msg) + record.getMessage() for record in caplog.records)
    assert len(caplog.records) == 4
    assert "secret" not in logged.lower()
    assert login.json()["access_token"] not in logged
    assert User.objects.filter(email=person["email"]).exists()
