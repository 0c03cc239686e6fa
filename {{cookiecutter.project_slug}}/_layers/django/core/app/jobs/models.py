from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7


class Job(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=20, default="export")
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    result = models.JSONField(null=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "idempotency_key"),
                condition=~models.Q(idempotency_key=""),
                name="job_once_per_key",
            ),
        )
        indexes = (models.Index(fields=("status", "id"), name="job_status"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
