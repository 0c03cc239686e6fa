"""The real application on a real database, in a folder of its own."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade
from sqlalchemy import delete, event

from app import tokens
from app.cache import cache
from app.database import db, transaction
from app.limits import limiter
from app.main import app as application
from app.passwords import hash_password
from app.users.models import User

PASSWORD = "correct horse battery staple"
HASHED = hash_password(PASSWORD)

type Headers = dict[str, str]


@pytest.fixture(scope="session")
def app() -> Iterator[APIFlask]:
    migrations = str(Path(__file__).parent.parent / "migrations")
    with application.app_context():
        # An earlier run on the same database may have left something.
        downgrade(migrations, "base")
        upgrade(migrations)
    yield application
    with application.app_context():
        db.engine.dispose()


@pytest.fixture(autouse=True)
def clean(app: APIFlask) -> Iterator[None]:
    yield
    with app.app_context(), transaction():
        db.session.execute(delete(User))
    cache.clear()
    limiter.reset()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def new_user(app: APIFlask) -> Callable[[], User]:
    def create() -> User:
        user = User(email=f"{uuid4().hex}@example.com", name="Ada Lovelace", password=HASHED)
        with app.app_context(), transaction():
            db.session.add(user)
        return user

    return create


@pytest.fixture
def user(new_user: Callable[[], User]) -> User:
    return new_user()


@pytest.fixture
def headers(user: User) -> Headers:
    return bearer(user)


@pytest.fixture
def other_headers(new_user: Callable[[], User]) -> Headers:
    return bearer(new_user())


@pytest.fixture
def statements(app: APIFlask) -> Iterator[list[str]]:
    """The statements that the test has run, without those that begin transactions."""
    seen: list[str] = []

    def record(connection: object, cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", record)
    yield seen
    event.remove(engine, "before_cursor_execute", record)


def bearer(user: User) -> Headers:
    return {"Authorization": f"Bearer {tokens.issue(user.id)}"}


def wait_for_a_new_minute() -> None:
    """Tries are counted by the clock's minutes: do not begin to count when one is about to end."""
    left = 60 - time.time() % 60
    if left < 10:
        time.sleep(left)
