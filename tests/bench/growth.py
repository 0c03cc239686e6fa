"""What becomes of a list and of an item as there are more items, more connections, more owners."""

from dataclasses import dataclass

from tests.bench import wrk
from tests.bench.arena import Arena
from tests.bench.wrk import Target
from tests.contract.client import connect
from tests.serving import eventually, started, tree

ITEMS = (1_000, 100_000, 1_000_000)
CONNECTIONS = (1, 16, 256)
OWNERS = (1, 10, 100)
KINDS = ("list", "detail cold")


@dataclass(frozen=True)
class Point:
    framework: str
    grows: str
    size: int
    kind: str
    p50: float
    """In milliseconds, like p99."""
    p99: float
    per_second: float
    statements: float


def grow(where: Arena, target: Target, seconds: int) -> list[Point]:
    """The items that it has in the end are as many as in the beginning."""
    points: list[Point] = []

    def see(grows: str, size: int, connections: int) -> None:
        for kind in KINDS:
            where.flush()
            speed = wrk.measure(target, kind, where.ids, where.token, seconds=seconds, connections=connections)
            statements = where.statements(target, kind)
            points.append(Point(where.framework, grows, size, kind, speed.p50, speed.p99, speed.per_second, statements))

    for connections in CONNECTIONS:
        see("connections", connections, connections)
    for owners in OWNERS:
        where.fill(ITEMS[1], owners)
        see("owners", owners, 32)
    for items in ITEMS:
        where.fill(items)
        see("items", items, 32)
    where.fill(ITEMS[1])
    return points


def export_memory(where: Arena) -> dict[int, float]:
    """The worker's memory in megabytes at the end of exports of so many items of one owner: it streams them."""
    megabytes: dict[int, float] = {}
    for items in (1_000, 100_000):
        where.fill(items, owners=1)
        where.forget_jobs()
        with (
            where.ours() as target,
            started(where.project, "./entrypoint", "worker", env=where.place.env) as worker,
            connect(target.address) as client,
        ):
            job = client.post("/api/v1/exports", headers=where.owner.headers).headers["Location"]

            def succeeded(job: str = job) -> bool:
                return bool(client.get(job, headers=where.owner.headers).json()["status"] == "succeeded")

            eventually(succeeded, 60)
            megabytes[items] = max(process.memory_info().rss for process in tree(worker.popen.pid)) / 1_000_000
    return megabytes
