"""What jobs do. A task may run again after its process was killed, so it does no harm when it does."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from app.environment import environment
from app.items.models import Item
from app.items.services import encode
from app.jobs.models import Job

BATCH_SIZE = 500

logger = structlog.get_logger(__name__)


def run(job_id: UUID) -> None:
    """Run a pending job; leave one alone that somebody else has taken."""
    claimed = Job.objects.filter(id=job_id, status=Job.Status.PENDING).update(
        status=Job.Status.RUNNING, started_at=timezone.now()
    )
    if not claimed:
        return
    job = Job.objects.get(id=job_id)
    with structlog.contextvars.bound_contextvars(job_id=str(job_id)):
        try:
            job.result = export(job)
            job.status = Job.Status.SUCCEEDED
            logger.info("job succeeded", **job.result)
        except Exception as error:
            job.result = {"error": type(error).__name__}
            job.status = Job.Status.FAILED
            logger.exception("job failed")
        job.finished_at = timezone.now()
        job.save(update_fields=["status", "result", "finished_at"])


def export(job: Job) -> dict[str, Any]:
    """Write the owner's items into a file, one JSON object a line (https://jsonlines.org)."""
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job.id}.jsonl"
    part = file.with_suffix(".part")
    count = 0
    with part.open("wb") as lines:
        for item in items_of(job.owner_id):
            lines.write(encode(item) + b"\n")
            count += 1
    part.replace(file)
    return {"file": file.name, "items": count, "bytes": file.stat().st_size}


def items_of(owner_id: UUID) -> Iterator[Item]:
    """The owner's items, oldest first, a batch at a time: no long statement, and no transaction to be held open."""
    items = Item.objects.filter(owner=owner_id).select_related("owner").order_by("id")
    batch = list(items[:BATCH_SIZE])
    while batch:
        yield from batch
        batch = list(items.filter(id__gt=batch[-1].id)[:BATCH_SIZE])
