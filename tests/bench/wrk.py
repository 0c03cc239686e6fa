"""What wrk sees of a server, and what the server spends on it."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.serving import tree

SCRIPT = Path(__file__).parent / "requests.lua"
REST_SECONDS = 0.1


class Speed(NamedTuple):
    """Of one kind of request; times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    """Of the server's processes, for one request."""


class VoidRunError(Exception):
    """Requests failed: what was measured means nothing."""


class Target(NamedTuple):
    """A server under test and its process, whose children are measured too."""

    address: str
    process: int

    def cpu_seconds(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in tree(self.process))

    def come_to_rest(self) -> None:
        """Wait until it has worked off what wrk has left behind, which is not the next measurement's."""
        httpx.get(f"{self.address}/health/live", timeout=60).raise_for_status()
        used = self.cpu_seconds()
        while True:
            time.sleep(REST_SECONDS)
            before, used = used, self.cpu_seconds()
            if used - before < REST_SECONDS / 5:
                return

    def megabytes(self) -> float:
        """Resident memory of the largest process."""
        return max(process.memory_info().rss for process in tree(self.process)) / 1_000_000


def require() -> None:
    """Exit with 2 where a program is missing."""
    for name, package in (("wrk", "wrk"), ("redis-server", "redis-server"), ("postgres", "postgresql")):
        if not shutil.which(name) and not list(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")):
            print(f"{name} is missing: apt-get install {package}", file=sys.stderr)
            sys.exit(2)


def measure(target: Target, kind: str, ids: Path, token: str, *, seconds: int, connections: int) -> Speed:
    """Ask for so many seconds; raises VoidRunError if any answer was an error or late."""
    options = ("-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(SCRIPT))
    before = target.cpu_seconds()
    output = subprocess.run(
        ["wrk", *options, target.address, "--", kind, str(ids), token], capture_output=True, text=True, check=True
    ).stdout
    cpu = target.cpu_seconds() - before
    target.come_to_rest()
    seen = json.loads(output.splitlines()[-1])
    if seen["failed"] or not seen["requests"]:
        raise VoidRunError(f"{kind} at {target.address}: {seen['failed']} of {seen['requests']} requests failed")
    return Speed(seen["requests"] / seen["seconds"], seen["p50"], seen["p99"], 1000 * cpu / seen["requests"])


def median(speeds: list[Speed]) -> Speed:
    return Speed(*map(statistics.median, zip(*speeds, strict=True)))
