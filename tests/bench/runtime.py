"""How fast generated projects answer, beside the bare floor and a peer in the same run. Run it by `make bench`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tests.bench import wrk
from tests.bench.arena import arena
from tests.bench.contest import ITEMS, KINDS, compete, enqueue_seconds_frozen, frozen_by_healthy, start_seconds
from tests.bench.growth import export_memory, grow
from tests.bench.report import FRAMEWORKS, Report, show, write

QUICK_KINDS = ("list", "detail cached", "create")
# With as many processes as there are cores the database and wrk take their share of them.
KINDS_OF_TWO_PROCESSES = ("list", "detail cached")
DOCS = Path(__file__).resolve().parents[2] / "docs"


def quick(frameworks: list[str], kinds: tuple[str, ...], rounds: int, seconds: int, *, others: bool) -> Report:
    report = Report(rounds, seconds)
    with tempfile.TemporaryDirectory() as folder:
        for framework in frameworks:
            with arena(framework, Path(folder), ITEMS) as where:
                report.one[framework] = compete(where, rounds, seconds, kinds, others=others)
    return report


def full(rounds: int, seconds: int) -> Report:
    report = Report(rounds, seconds)
    progress = Console(stderr=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for framework in FRAMEWORKS:
            progress.print(f"{framework}, after {time.monotonic() - began:.0f} s", highlight=False)
            with arena(framework, Path(folder), ITEMS) as where:
                report.one[framework] = compete(where, rounds, seconds, KINDS)
                report.two[framework] = compete(where, rounds, seconds, KINDS_OF_TWO_PROCESSES, workers=2)
                report.frozen[framework] = frozen_by_healthy(where, rounds, seconds)
                report.start[framework] = start_seconds(where, 3)
                report.enqueue_frozen[framework] = enqueue_seconds_frozen(where)
                with where.ours() as target:
                    report.growth += grow(where, target, 1)
                report.exports[framework] = export_memory(where)
    progress.print(f"all after {time.monotonic() - began:.0f} s", highlight=False)
    return report


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a few kinds of requests, and nothing is written")
    parser.add_argument("--framework", choices=FRAMEWORKS, action="append", help="only this one, quickly")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind of request, quickly")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--no-others", dest="others", action="store_false", help="only the project and its floor")
    given = parser.parse_args()
    wrk.require()
    try:
        if given.quick or given.framework or given.kind:
            frameworks, kinds = given.framework or list(FRAMEWORKS), tuple(given.kind or QUICK_KINDS)
            show(quick(frameworks, kinds, given.rounds, given.seconds, others=given.others))
        else:
            report = full(given.rounds, given.seconds)
            show(report)
            write(report, DOCS)
    except wrk.VoidRunError as error:
        sys.exit(f"The run is void: {error}")


if __name__ == "__main__":
    main()
