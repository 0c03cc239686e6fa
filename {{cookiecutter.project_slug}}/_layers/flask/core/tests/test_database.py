from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from apiflask import APIFlask
from flask.testing import FlaskClient
from flask_migrate import check
from sqlalchemy import func, select

from app.database import db, transaction
from app.environment import environment
from app.items.models import Item
from app.users.models import User
from tests.conftest import Headers


def test_the_migrations_make_the_models_tables(app: APIFlask) -> None:
    with app.app_context():
        check()


def test_an_error_takes_everything_back(app: APIFlask, user: User) -> None:
    with app.app_context():
        with suppress(RuntimeError), transaction():
            db.session.add(Item(title="Tea", body="", owner_id=user.id))
            db.session.flush()
            raise RuntimeError
        assert db.session.scalar(select(func.count()).select_from(Item)) == 0


def test_many_write_at_once(app: APIFlask, headers: Headers) -> None:
    def create(number: int) -> int:
        body = {"title": f"Tea {number}", "body": ""}
        return app.test_client().post("/api/v1/items", json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(create, range(40))) == {201}


def test_every_row_has_its_own_time(app: APIFlask, user: User) -> None:
    with app.app_context():
        for number in range(2):
            with transaction():
                db.session.add(Item(title=str(number), body="", owner_id=user.id))
        first, second = db.session.scalars(select(Item).order_by(Item.id))
        assert first.created_at < second.created_at
        assert first.created_at == first.updated_at
        assert first.created_at.utcoffset() is not None


def test_no_connection_is_left(app: APIFlask, client: FlaskClient) -> None:
    with app.app_context(), ExitStack() as busy:
        for _ in range(environment.database_pool_size):
            busy.enter_context(db.engine.connect())
        response = client.get("/api/v1/items")
    assert response.status_code == 503
    assert response.mimetype == "application/problem+json"
    assert client.get("/api/v1/items").status_code == 200
