from datetime import UTC, datetime, timedelta

from app.jobs.commands import sweep, work
from app.users.models import User
from tests.jobs.test_runs import new_job, stored

LATER = datetime.now(UTC) + timedelta(minutes=5)
EARLIER = datetime.now(UTC) - timedelta(minutes=5)


async def test_the_worker_runs_what_is_due(user: User) -> None:
    jobs = [await new_job(user, due_at=EARLIER) for _ in range(2)]
    others = [await new_job(user, due_at=LATER), await new_job(user, due_at=EARLIER, status="running")]
    assert [await work() for _ in range(3)] == [0, 0, 1]
    assert [(await stored(job)).status for job in jobs + others] == ["succeeded", "succeeded", "pending", "running"]


async def test_beat_returns_what_nobody_hears_of(user: User) -> None:
    jobs = [await new_job(user, status="running", due_at=due_at) for due_at in (LATER, EARLIER)]
    assert await sweep() == 5
    assert [(await stored(job)).status for job in jobs] == ["running", "pending"]
