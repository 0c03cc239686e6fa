from uuid import uuid4

import pytest
from apiflask import APIFlask
from sqlalchemy import bindparam, select

from app.compiled import Compiled
from app.database import db, transaction
from app.items.models import Item
from app.users.models import User

ROWS = select(Item.id, Item.title, User.name, Item.created_at).join(Item.owner).where(Item.body == "")
AFTER = ROWS.where(Item.id > bindparam("cursor")).order_by(Item.id).limit(2)


@pytest.fixture
def items(app: APIFlask, user: User) -> list[Item]:
    made = [Item(title=f"Tea {number}", body="", owner_id=user.id) for number in range(4)]
    for item in made:
        with app.app_context(), transaction():
            db.session.add(item)
    return made


def test_what_is_compiled_gives_what_the_session_does(app: APIFlask, items: list[Item]) -> None:
    after = Compiled(AFTER)
    with app.app_context():
        for item in items:
            assert after.rows(cursor=item.id) == db.session.execute(AFTER, {"cursor": item.id}).all()


def test_nothing_is_found(app: APIFlask) -> None:
    with app.app_context():
        assert Compiled(AFTER).rows(cursor=uuid4()) == []
