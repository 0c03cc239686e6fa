import pytest

from app.items import schemas, services
from app.items.models import Item
from app.users.models import User
from tests.items.samples import STRANGE, TIMES


@pytest.fixture
def items(ada: User, grace: User) -> list[Item]:
    """Items whose JSON is not as simple as others', the newest first."""
    User.objects.filter(id=grace.id).update(name=STRANGE)
    for owner, time in zip((ada, grace, grace), TIMES, strict=True):
        item = Item.objects.create(owner=owner, title=STRANGE, body=STRANGE * 3)
        Item.objects.filter(id=item.id).update(created_at=time, updated_at=time)
    return list(Item.objects.select_related("owner"))


def test_an_item_is_read_as_its_schema_says(items: list[Item]) -> None:
    for item in items:
        assert services.load(item.id) == services.encode(item)


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_a_page_is_read_as_its_schema_says(items: list[Item], limit: int) -> None:
    for cursor in (None, items[0].id, items[-1].id):
        older = [item for item in items if cursor is None or item.id < cursor]
        page = {"items": older[:limit], "next_cursor": older[limit - 1].id if len(older) > limit else None}
        encoded = schemas.ItemPage.model_validate(page).model_dump_json().encode()
        assert services.load_page(schemas.PageQuery(limit=limit, cursor=cursor)) == encoded
