import time
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from app import health
from tests.conftest import assert_problem


def test_live(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert client.get("/health/live").json() == {"status": "ok"}


def test_ready(client: Client) -> None:
    response = client.get("/health/ready")
    assert response.json() == {"status": "ok", "parts": dict.fromkeys(health.CHECKS, "ok")}
    assert response["Cache-Control"] == "private, no-store"


def test_a_database_without_tables_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO hidden")
        try:
            response = client.get("/health/ready")
        finally:
            cursor.execute("ALTER TABLE hidden RENAME TO django_migrations")
    assert_problem(response, 503)
    assert "database" in response.json()["detail"]
    assert "cache" not in response.json()["detail"]


@pytest.mark.parametrize(("part", "status"), [("database", 503), ("cache", 200)])
def test_a_part_that_hangs(client: Client, monkeypatch: pytest.MonkeyPatch, part: str, status: int) -> None:
    monkeypatch.setitem(health.CHECKS, part, partial(time.sleep, 0.5))
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.1)
    response = client.get("/health/ready")
    if status == 503:
        assert_problem(response, 503)
        assert part in response.json()["detail"]
    else:
        assert response.json()["parts"] == dict.fromkeys(health.CHECKS, "ok") | {part: "down"}
