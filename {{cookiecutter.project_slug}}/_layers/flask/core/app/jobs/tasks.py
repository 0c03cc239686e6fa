"""What runs in the background. A task may run twice, so it must not matter when it does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from structlog import get_logger

from app.database import db, transaction
from app.environment import environment
from app.items import services as items
from app.items.models import Item
from app.jobs.models import Job

LOST_AFTER = timedelta(minutes=15)

logger = get_logger(__name__)


def run(job_id: UUID) -> None:
    """Run a pending job. Of several that try, one does."""
    job = _claim(job_id)
    if job is None:
        return
    log = logger.bind(job_id=str(job_id))
    log.info("job started")
    status, result = "succeeded", {}
    try:
        result = export(job)
    except Exception as error:
        log.exception("job failed")
        status, result = "failed", {"error": type(error).__name__}
    with transaction():
        job.status, job.result, job.finished_at = status, result, datetime.now(UTC)
    log.info("job finished", status=status)


def export(job: Job) -> dict[str, Any]:
    """Write the owner's items as JSON Lines, as a whole or not at all."""
    folder = environment.export_dir
    folder.mkdir(parents=True, exist_ok=True)
    query = select(Item).where(Item.owner_id == job.owner_id).order_by(Item.id).execution_options(yield_per=500)
    count = 0
    with NamedTemporaryFile(dir=folder, prefix=".", delete_on_close=False) as file, transaction(read_only=True):
        for item in db.session.scalars(query):
            file.write(items.encode(item) + b"\n")
            count += 1
        file.close()
        target = Path(file.name).rename(folder / f"{job.id}.jsonl")
    return {"file": target.name, "items": count, "bytes": target.stat().st_size}


def next_pending() -> UUID | None:
    with db.session.begin():
        return db.session.scalar(select(Job.id).where(Job.status == "pending").order_by(Job.id).limit(1))


def return_lost() -> int:
    """Make jobs pending again whose process has died. How many there were."""
    lost = update(Job).where(Job.status == "running", Job.started_at < datetime.now(UTC) - LOST_AFTER)
    with transaction():
        return len(db.session.scalars(lost.values(status="pending").returning(Job.id)).all())


def _claim(job_id: UUID) -> Job | None:
    pending = update(Job).where(Job.id == job_id, Job.status == "pending")
    with transaction():
        return db.session.scalar(pending.values(status="running", started_at=datetime.now(UTC)).returning(Job))
