from django.contrib import admin

from app.items.models import Item


@admin.register(Item)
class ItemAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("title", "owner", "created_at", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("title", "owner__email")
    autocomplete_fields = ("owner",)
    readonly_fields = ("id", "created_at", "updated_at")
    show_full_result_count = False
