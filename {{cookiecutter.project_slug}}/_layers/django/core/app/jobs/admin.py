from django.contrib import admin
from django.http import HttpRequest

from app.jobs.models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "kind", "status", "owner", "created_at", "finished_at")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("=id", "owner__email")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False
