"""Jobs while workers die: each that was accepted takes effect once, and so does what is asked many times."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import httpx
import psycopg

from tests.contract.client import connect, create_item, together
from tests.contract.place import PostgreSQL
from tests.faults.report import Findings
from tests.faults.stack import ITEMS_TO_EXPORT, Stack, kill
from tests.serving import Process, eventually, started, tree

EXPORTS = 1_000
# The time that it takes to post them.
SECONDS = 20
THREADS = 4
WORKERS = 3
# As many as one worker runs at once.
RUNNING = 2
# How soon somebody else has done the job of a worker that died. RabbitMQ hears that its connection is gone; for the
# others the job's own patience of 30 seconds has to end, and a sweep to come.
REDELIVERY_SECONDS = {"celery-redis": 40, "celery-rabbitmq": 5}


def test_a_thousand_exports_while_workers_are_killed(stack: Stack, findings: Findings) -> None:
    """Every second another worker dies, and a new one takes its place."""
    kills = 0
    with ExitStack() as opened, connect(stack.server.base_url) as client:

        def start() -> None:
            process = started(stack.place.project, "./entrypoint", "worker", env=stack.place.env)
            workers.append(opened.enter_context(process))

        def post(_: int) -> str:
            # Slowly enough for workers to die in between.
            time.sleep(THREADS * SECONDS / EXPORTS)
            answer = client.post("/api/v1/exports", headers=stack.exporter.headers)
            assert answer.status_code == 202
            return str(answer.headers["Location"])

        workers = [stack.processes["worker"]]
        for _ in range(WORKERS - 1):
            start()
        began = time.monotonic()
        pool = opened.enter_context(ThreadPoolExecutor(THREADS))
        posts = [pool.submit(post, number) for number in range(EXPORTS)]
        while not all(one.done() for one in posts):
            kill(workers.pop(0))
            kills += 1
            start()
            time.sleep(1)
        jobs = [one.result() for one in posts]
        stack.processes["worker"] = workers[-1]
        eventually(lambda: set(stack.job_statuses(jobs).values()) == {"succeeded"}, seconds=150)
        took = time.monotonic() - began
        files = sorted(path.name for path in stack.place.exports.iterdir() if f"/api/v1/jobs/{path.stem}" in set(jobs))
        assert len(set(jobs)) == EXPORTS
        assert len(files) == EXPORTS
        assert {stack.exported(job) for job in jobs} == {ITEMS_TO_EXPORT}
        outcome = f"{EXPORTS} of {EXPORTS} succeeded, each with one whole file, after {took:.0f} s"
        findings.experiments.append((str(stack.variant), f"{EXPORTS} exports, {kills} workers killed", outcome))
        kill(workers[-1])
    stack.start("worker")


def test_a_broker_that_goes_while_jobs_run(stack: Stack, findings: Findings) -> None:
    """The workers cannot acknowledge what they finish meanwhile; they go on as soon as it is back."""

    def post() -> str:
        with connect(stack.server.base_url) as client:
            return str(client.post("/api/v1/exports", headers=stack.exporter.headers).headers["Location"])

    def waiting() -> bool:
        count = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return stack.databases.primary.execute(count) == [(RUNNING,)]

    kill(stack.processes["worker"])
    jobs = [post() for _ in range(RUNNING)]
    with stack.place.database.locked(stack.place.table("idempotency_key")):
        stack.start("worker")
        eventually(waiting, 30)
        stack.broker.kill()
    time.sleep(1)
    stack.broker.start()
    jobs.append(post())
    eventually(lambda: set(stack.job_statuses(jobs).values()) == {"succeeded"}, seconds=90)
    findings.experiments.append((str(stack.variant), f"broker killed while {RUNNING} jobs ran", "all succeeded"))


def test_a_worker_that_is_killed_mid_task(stack: Stack, findings: Findings) -> None:
    """Another one, which has nothing to do, runs its job again."""
    workers = [stack.processes["worker"]]
    stack.start("worker")
    workers.append(stack.processes["worker"])
    eventually(lambda: b" ready." in workers[-1].log_file.read_bytes(), 30)
    # The job has begun, and waits for the items that it reads.
    with psycopg.connect(stack.place.database.url) as connection:
        connection.execute(f'LOCK TABLE "{stack.place.table("body")}" IN ACCESS EXCLUSIVE MODE'.encode())
        with connect(stack.server.base_url) as client:
            job = str(client.post("/api/v1/exports", headers=stack.exporter.headers).headers["Location"])
        waiting = "SELECT client_port FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ((port,),) = eventually(lambda: stack.databases.primary.execute(waiting))
        killed = next(worker for worker in workers if port in local_ports(worker))
        died = time.monotonic()
        kill(killed)
    workers.remove(killed)
    (stack.processes["worker"],) = workers
    eventually(lambda: set(stack.job_statuses([job]).values()) == {"succeeded"}, seconds=60)
    took = time.monotonic() - died
    attempts = f'SELECT attempts FROM "{stack.place.table("idempotency_key")}" WHERE id = %s'
    assert stack.place.database.execute(attempts, job.rpartition("/")[2]) == [(2,)]
    assert stack.exported(job) == ITEMS_TO_EXPORT
    assert took <= REDELIVERY_SECONDS[stack.variant.queue]
    findings.experiments.append((str(stack.variant), "worker killed mid-task", f"job done again after {took:.1f} s"))


def local_ports(process: Process) -> set[int]:
    """Of the connections of a process and of those that it has started."""
    return {one.laddr.port for part in tree(process.popen.pid) for one in part.net_connections() if one.laddr}


def test_one_key_is_one_job(stack: Stack, findings: Findings) -> None:
    headers = stack.exporter.headers | {"Idempotency-Key": "the same for all"}

    def post(_: int) -> httpx.Response:
        with connect(stack.server.base_url) as client:
            return client.post("/api/v1/exports", headers=headers)

    answers = together(20, post)
    assert {answer.status_code for answer in answers} == {202}
    jobs = {answer.headers["Location"] for answer in answers}
    assert len(jobs) == 1
    findings.experiments.append((str(stack.variant), "20 posts at once with one Idempotency-Key", f"{len(jobs)} job"))


def test_one_query_for_many_readers(stack: Stack, findings: Findings) -> None:
    """Of an item that no cache holds, over both web processes."""
    with connect(stack.server.base_url) as client:
        path = create_item(client, stack.writer).headers["Location"]

    def read(_: int) -> httpx.Response:
        with connect(stack.server.base_url) as client:
            return client.get(path)

    with stack.logged_statements() as count:
        answers = together(100, read)
        assert {answer.status_code for answer in answers} == {200}
        queries = eventually(lambda: count(path.rpartition("/")[2]))
    assert queries == 1
    findings.experiments.append((str(stack.variant), "100 readers of one item that no cache held", f"{queries} query"))


def test_migrate_from_eight_places(stack: Stack, findings: Findings) -> None:
    """On an empty database, at once."""
    with closing(PostgreSQL(stack.databases.primary)) as empty:
        env = stack.place.env | {"DATABASE_URL": empty.url}
        runs = together(8, lambda _: stack.place.project.run("./entrypoint", "migrate", env=env, check=False))
        assert [run.returncode for run in runs] == [0] * 8, "\n".join(run.stdout for run in runs)
        assert empty.tables().keys() == stack.place.database.tables().keys()
    findings.experiments.append((str(stack.variant), "8 migrations at once of an empty database", "8 exit with 0"))
