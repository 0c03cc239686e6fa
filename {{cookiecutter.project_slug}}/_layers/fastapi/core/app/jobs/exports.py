"""What an export does. It may run again after its process was killed, and gives the same then."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from anyio import Path, TemporaryDirectory
from sqlalchemy import select

from app.database import reading
from app.environment import environment
from app.items.models import Item
from app.items.services import encode
from app.jobs.models import Job

BATCH = 500


async def export(job: Job, alive: Callable[[], Awaitable[None]]) -> dict[str, Any]:
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
                await alive()
        target = await part.replace(folder / part.name)
    return {"file": target.name, "items": count, "bytes": (await target.stat()).st_size}
