from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from uuid_utils.compat import uuid7

from app.cache import copies
from app.copies import version_key

# All first pages of items, in the cache.
PAGES = "items"


class Item(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Its index is the one below.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="items", db_index=False)
    title = models.CharField(max_length=200)
    body = models.TextField(max_length=10_000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # Ids are ordered by time: the newest come first.
        ordering = ("-id",)
        indexes = (models.Index(fields=("owner", "id"), name="item_owner"),)

    def __str__(self) -> str:
        return self.title


def cache_key(item_id: UUID) -> str:
    return f"item:{item_id}"


@receiver([post_save, post_delete], sender=Item)
def forget(instance: Item, **_: object) -> None:
    """Whoever changes an item, the API, the admin or a cascade: no cached copy outlives the change."""
    keys = (cache_key(instance.id), version_key(PAGES))
    transaction.on_commit(lambda: copies.forget(*keys))
