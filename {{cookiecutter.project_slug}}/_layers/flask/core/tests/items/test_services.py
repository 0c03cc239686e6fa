from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.database import db, transaction
from app.items import schemas, services
from app.items.models import Item
from app.users.models import User

STRANGE = "\x01\b\t\n\r\x1b\"'\\/\x7f\u0080\u2028\ufeff\uffff é 🍵 <&>"
TIMES = (
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    datetime(999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)


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
