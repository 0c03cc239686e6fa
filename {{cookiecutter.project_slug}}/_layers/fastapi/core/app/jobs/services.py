from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import tasks
from app.jobs.models import Job
from app.users.account import Account


async def request_export(session: AsyncSession, owner: Account, idempotency_key: str | None) -> Job:
    """A new job, or the one that the same key has given before."""
    known = select(Job).where(Job.owner_id == owner.id, Job.idempotency_key == idempotency_key)
    job = Job(owner_id=owner.id, idempotency_key=idempotency_key)
    session.add(job)
    try:
        await session.commit()
    except IntegrityError:
        await session.rollback()
        return (await session.scalars(known)).one()
    tasks.send(job.id)
    return job


async def show(session: AsyncSession, job_id: UUID, user: Account) -> Job:
    job = await session.get(Job, job_id)
    if job is None or job.owner_id != user.id:
        raise HTTPException(404)
    return job
