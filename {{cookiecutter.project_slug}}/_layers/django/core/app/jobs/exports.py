"""What an export does. It may run again after its process was killed, and gives the same then."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from app.environment import environment
from app.items.models import Item
from app.items.services import encode
from app.jobs.models import Job

BATCH_SIZE = 500


def export(
    job: Job, alive: Callable[[], None], uninterrupted: Callable[[], AbstractContextManager[None]]
) -> dict[str, Any]:
    """Write the owner's items into a file, one JSON object a line (https://jsonlines.org)."""
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job.id}.jsonl"
    # Two attempts may overlap, when one was taken for dead.
    part = file.with_suffix(f".{job.attempts}.part")
    count = 0
    try:
        with part.open("wb") as lines:
            for batch in batches(job.owner_id):
                with uninterrupted():
                    lines.writelines(encode(item) + b"\n" for item in batch)
                count += len(batch)
                alive()
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return {"file": file.name, "items": count, "bytes": file.stat().st_size}


def batches(owner_id: UUID) -> Iterator[list[Item]]:
    """The owner's items, oldest first: no long statement, and no transaction to be held open."""
    items = Item.objects.filter(owner=owner_id).select_related("owner").order_by("id")
    batch = list(items[:BATCH_SIZE])
    while batch:
        yield batch
        batch = list(items.filter(id__gt=batch[-1].id)[:BATCH_SIZE])
