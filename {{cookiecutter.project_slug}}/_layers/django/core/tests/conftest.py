import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from app import limits, tokens
from app.items.models import Item
from app.users.models import User

JSON = "application/json"


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The real database for all tests: https://pytest-django.readthedocs.io/en/stable/database.html#django-db-setup"""
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)
        call_command("flush", interactive=False, verbosity=0)
        yield
        connection.close()


@pytest.fixture(autouse=True)
def fresh(django_db_setup: None) -> Iterator[None]:
    """Each test finds an empty database, an empty cache and no counted tries; its transactions are real."""
    cache.clear()
    limits.storage.reset()
    yield
    User.objects.all().delete()


@pytest.fixture
def client() -> Client:
    """Anybody, over HTTP; a bug answers 500 as it does in production."""
    return Client(raise_request_exception=False)


@pytest.fixture
def ada() -> User:
    return User.objects.create(email="ada@example.com", name="Ada")


@pytest.fixture
def grace() -> User:
    return User.objects.create(email="grace@example.com", name="Grace")


@pytest.fixture
def as_ada(ada: User) -> Client:
    return client_of(ada)


@pytest.fixture
def as_grace(grace: User) -> Client:
    return client_of(grace)


@pytest.fixture
def item(ada: User) -> Item:
    return Item.objects.create(owner=ada, title="Tea", body="Two cups.")


def client_of(user: User) -> Client:
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {tokens.issue(user.id)}"})


def together[T](count: int, call: Callable[[], T]) -> list[T]:
    """The results of calls made at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: connected(call), range(count)))


def connected[T](call: Callable[[], T]) -> T:
    """The result of a call made in another thread, over a database connection of its own."""
    try:
        return call()
    finally:
        connection.close()


def wait_for_a_new_minute() -> None:
    """Tries are counted by the clock's minutes: do not begin to count when one is about to end."""
    left = 60 - time.time() % 60
    if left < 3:
        time.sleep(left)


def assert_problem(response: Any, status: int, *pointers: str) -> None:  # noqa: ANN401
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "private, no-store"
    problem = response.json()
    assert problem["status"] == status
    assert [error["pointer"] for error in problem.get("errors", [])] == list(pointers)
