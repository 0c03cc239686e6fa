"""A project against its floor and a peer: the same requests in turn."""

import statistics
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench import wrk
from tests.bench.arena import Arena
from tests.bench.wrk import Speed, Target, median
from tests.contract.client import connect

KINDS = ("list", "detail cold", "detail cached", "create", "enqueue", "log-in", "health")
# What the framework alone and a peer do too.
OTHERS_KINDS = {"alone": ("list", "detail cached", "health"), "peer": ("list", "detail cold", "create", "health")}
ITEMS, CONNECTIONS = 100_000, 32
# A hash takes so long that many at once would be measured by how long they wait for each other.
LOG_IN_CONNECTIONS = 4


@dataclass
class Seen:
    """Of one server."""

    speeds: dict[str, list[Speed]] = field(default_factory=dict)
    megabytes: float = 0
    statements: dict[str, float] = field(default_factory=dict)

    def speed(self, kind: str) -> Speed:
        """The median of the rounds."""
        return median(self.speeds[kind])


def ratio(of: Seen, by: Seen, kind: str, figure: str = "per_second") -> float:
    """The median of the rounds' ratios: what disturbs one round disturbs both."""
    rounds = zip(of.speeds[kind], by.speeds[kind], strict=True)
    ratios: list[float] = [getattr(one, figure) / getattr(other, figure) for one, other in rounds]
    return statistics.median(ratios)


type Contest = dict[str, Seen]
"""By the name of the server: `floor`, `alone`, `ours`, `peer`."""


def compete(
    where: Arena, rounds: int, seconds: int, kinds: tuple[str, ...], *, workers: int = 1, others: bool = True
) -> Contest:
    """Rounds in turn, so that a noisy moment does not fall on one server alone."""
    with targets(where, workers, others=others) as servers:
        contest = {name: Seen() for name in servers}
        for target in servers.values():
            # Until its pool is full.
            wrk.measure(target, "list", where.ids, where.token, seconds=1, connections=CONNECTIONS)
        for _ in range(rounds):
            for kind in kinds:
                for name, target in servers.items():
                    if kind in OTHERS_KINDS.get(name, kinds):
                        where.flush()
                        connections = LOG_IN_CONNECTIONS if kind == "log-in" else CONNECTIONS
                        if kind == "list":
                            wake(target, where.path(kind), connections)
                        speed = wrk.measure(
                            target, kind, where.ids, where.token, seconds=seconds, connections=connections
                        )
                        contest[name].speeds.setdefault(kind, []).append(speed)
        for name, target in servers.items():
            contest[name].megabytes = target.megabytes()
            counted = [kind for kind in kinds if kind in ("list", "detail cached") and kind in contest[name].speeds]
            contest[name].statements = {kind: where.statements(target, kind) for kind in counted}
    return contest


def wake(target: Target, path: str, connections: int) -> None:
    """Ask once over each connection that the server has to its database; the path has to be one that no cache answers.

    After others were measured, the first statement of each connection often takes several times as long, which a
    measurement of one second would show as the 99th percentile.
    """

    def ask(_: int) -> None:
        with urllib.request.urlopen(f"{target.address}{path}") as response:
            response.read()

    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(ask, range(connections)))


@contextmanager
def targets(where: Arena, workers: int, *, others: bool) -> Iterator[dict[str, Target]]:
    start = {"floor": where.floor, "alone": where.alone, "ours": where.ours, "peer": where.peer}
    with ExitStack() as opened:
        yield {name: opened.enter_context(start[name](workers)) for name in start if others or name not in OTHERS_KINDS}


def frozen_by_healthy(where: Arena, rounds: int, seconds: int) -> float:
    """Items a second while the cache hangs, by those while it answers and holds none of them."""
    shares: list[float] = []
    with where.ours() as target:

        def see() -> float:
            speed = wrk.measure(target, "detail cold", where.ids, where.token, seconds=seconds, connections=CONNECTIONS)
            return speed.per_second

        for _ in range(rounds):
            where.flush()
            healthy = see()
            with where.cache.frozen():
                shares.append(see() / healthy)
    return statistics.median(shares)


def start_seconds(where: Arena, rounds: int) -> float:
    """From the start of the web process to its first 200."""
    seconds: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        with where.ours():
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def enqueue_seconds_frozen(where: Arena) -> tuple[float, float]:
    """How long the first and the slowest later request for a job takes while the broker hangs."""
    with where.ours() as target, connect(target.address) as client:

        def enqueue() -> float:
            began = time.perf_counter()
            client.post("/api/v1/exports", headers=where.owner.headers).raise_for_status()
            return time.perf_counter() - began

        enqueue()
        with where.broker.frozen():
            first, *later = [enqueue() for _ in range(10)]
    return first, max(later)
