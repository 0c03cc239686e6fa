from uuid import uuid4

from app.compiled import Compiled, Parameter
from app.items.models import Item
from app.users.models import User

rows = Item.objects.values_list("id", "title", "owner__name", "created_at")
after = Compiled(rows.filter(id__gt=Parameter(Item._meta.pk, "cursor"), body="").order_by("id")[:2])


def test_what_is_compiled_gives_what_the_queryset_does(ada: User, grace: User) -> None:
    items = [
        Item.objects.create(owner=owner, title=f"Tea {number}", body="")
        for number, owner in enumerate((ada, grace, ada, grace))
    ]
    for item in items:
        assert after.rows(cursor=item.id) == list(rows.filter(id__gt=item.id, body="").order_by("id")[:2])


def test_nothing_is_found(item: Item) -> None:
    assert after.rows(cursor=uuid4()) == []
