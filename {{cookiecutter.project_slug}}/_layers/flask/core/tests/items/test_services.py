from collections.abc import Callable

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import db, transaction
from app.items import schemas, services
from app.items.models import Item
from app.users.models import User
from tests.items.samples import STRANGE, TIMES


@pytest.fixture
def items(app: APIFlask, new_user: Callable[[], User]) -> list[Item]:
    """Items whose JSON is not as simple as others', the newest first."""
    owners = [new_user() for _ in TIMES]
    with app.app_context():
        for user, time in zip(owners, TIMES, strict=True):
            with transaction():
                owner = db.session.merge(user)
                owner.name = STRANGE
                db.session.add(Item(title=STRANGE, body=STRANGE * 3, owner=owner, created_at=time, updated_at=time))
        return list(db.session.scalars(select(Item).order_by(Item.id.desc())))


def test_an_item_is_read_as_its_schema_says(client: FlaskClient, items: list[Item]) -> None:
    for item in items:
        assert client.get(f"/api/v1/items/{item.id}").data == services.encode(item)


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_a_page_is_read_as_its_schema_says(client: FlaskClient, items: list[Item], limit: int) -> None:
    for cursor in (None, items[0].id, items[-1].id):
        older = [item for item in items if cursor is None or item.id < cursor]
        page = {"items": older[:limit], "next_cursor": older[limit - 1].id if len(older) > limit else None}
        encoded = schemas.ItemPage.model_validate(page).model_dump_json().encode()
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        assert client.get("/api/v1/items", query_string=query).data == encoded
