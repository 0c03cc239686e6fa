from app.jobs import tasks
from app.jobs.models import Job
from app.users.models import User


def request_export(owner: User, idempotency_key: str) -> Job:
    """A new job, or the one that the same key has given before."""
    if idempotency_key:
        job, created = Job.objects.get_or_create(owner=owner, idempotency_key=idempotency_key)
    else:
        job, created = Job.objects.create(owner=owner), True
    if created:
        tasks.send(job.id)
    return job
