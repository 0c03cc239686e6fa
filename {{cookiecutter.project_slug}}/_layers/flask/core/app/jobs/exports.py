"""What an export does. It may run again after its process was killed, and gives the same then."""

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy import select

from app.database import db, transaction
from app.environment import environment
from app.items.models import Item
from app.items.services import encode
from app.jobs.models import Job

BATCH = 500


def export(job: Job, alive: Callable[[], None]) -> dict[str, Any]:
    """Write the owner's items as JSON Lines (https://jsonlines.org), as a whole or not at all."""
    folder = environment.export_dir
    folder.mkdir(parents=True, exist_ok=True)
    query = select(Item).where(Item.owner_id == job.owner_id).order_by(Item.id).execution_options(yield_per=BATCH)
    count = 0
    with NamedTemporaryFile(dir=folder, prefix=".", delete_on_close=False) as file, transaction(read_only=True):
        for items in db.session.scalars(query).partitions():
            file.writelines(encode(item) + b"\n" for item in items)
            count += len(items)
            alive()
        file.close()
        target = Path(file.name).rename(folder / f"{job.id}.jsonl")
    return {"file": target.name, "items": count, "bytes": target.stat().st_size}
