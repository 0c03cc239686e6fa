from uuid import UUID

from apiflask import abort
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database import db, transaction
from app.jobs import tasks
from app.jobs.models import Job
from app.users.account import Account


def start_export(owner: Account, idempotency_key: str | None) -> Job:
    """A new job, or the one that the owner has started with this key."""
    job = Job(owner_id=owner.id, idempotency_key=idempotency_key)
    try:
        with transaction():
            db.session.add(job)
    except IntegrityError:
        return db.session.scalars(select(Job).filter_by(owner_id=owner.id, idempotency_key=idempotency_key)).one()
    tasks.send(job.id)
    return job


def show(job_id: UUID, user: Account) -> Job:
    job = db.session.get(Job, job_id)
    if job is None or job.owner_id != user.id:
        abort(404)
    return job
