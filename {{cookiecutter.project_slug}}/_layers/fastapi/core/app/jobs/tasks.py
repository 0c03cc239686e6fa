"""What runs in the background. A task may run again after its process was killed, so it does no harm when it does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from anyio import Path, TemporaryDirectory
from sqlalchemy import select, update
from structlog import get_logger

from app.database import reading, writing
from app.environment import environment
from app.items.models import Item
from app.items.services import encode
from app.jobs.models import Job

LOST_AFTER = timedelta(minutes=15)
BATCH = 500

logger = get_logger(__name__)


async def run(job_id: UUID) -> None:
    """Run a pending job. Of several that try, one does."""
    job = await _claim(job_id)
    if job is None:
        return
    log = logger.bind(job_id=str(job_id))
    log.info("job started")
    try:
        status, result = "succeeded", await export(job)
    except Exception as error:
        log.exception("job failed")
        status, result = "failed", {"error": type(error).__name__}
    async with writing.begin() as session:
        finished = {"status": status, "result": result, "finished_at": datetime.now(UTC)}
        await session.execute(update(Job).where(Job.id == job_id).values(finished))
    log.info("job finished", status=status)


async def export(job: Job) -> dict[str, Any]:
    """Write the owner's items as JSON Lines (https://jsonlines.org), as a whole or not at all."""
    folder = Path(environment.export_dir)
    await folder.mkdir(parents=True, exist_ok=True)
    query = select(Item).where(Item.owner_id == job.owner_id).order_by(Item.id).limit(BATCH)
    count, last = 0, UUID(int=0)
    async with reading() as session, TemporaryDirectory(dir=str(folder), prefix=".") as temporary:
        part = Path(temporary) / f"{job.id}.jsonl"
        async with await part.open("wb") as file:
            while items := (await session.scalars(query.where(Item.id > last))).all():
                await file.write(b"".join(encode(item) + b"\n" for item in items))
                count, last = count + len(items), items[-1].id
        target = await part.replace(folder / part.name)
    return {"file": target.name, "items": count, "bytes": (await target.stat()).st_size}


async def next_pending() -> UUID | None:
    async with reading() as session:
        return await session.scalar(select(Job.id).where(Job.status == "pending").order_by(Job.id).limit(1))


async def return_lost() -> int:
    """Make jobs pending again whose process has died. How many there were."""
    lost = update(Job).where(Job.status == "running", Job.started_at < datetime.now(UTC) - LOST_AFTER)
    async with writing.begin() as session:
        return len((await session.scalars(lost.values(status="pending").returning(Job.id))).all())


async def _claim(job_id: UUID) -> Job | None:
    pending = update(Job).where(Job.id == job_id, Job.status == "pending")
    async with writing.begin() as session:
        return await session.scalar(pending.values(status="running", started_at=datetime.now(UTC)).returning(Job))
