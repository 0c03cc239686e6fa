"""The benchmark's findings: as tables, as JSON, as charts and as a page of the documentation."""

import json
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import pyplot
from rich.console import Console
from rich.table import Table

from tests.bench.contest import CONNECTIONS, ITEMS, LOG_IN_CONNECTIONS, Contest, Seen, ratio
from tests.bench.growth import KINDS as GROWN
from tests.bench.growth import Point
from tests.bench.wrk import Speed

FRAMEWORKS = ("django", "flask", "fastapi")
# What a target is about, its name and its lower limit for each framework.
SHARES = (
    ("list", "list, share of the floor", (0.40, 0.55, 0.60)),
    ("detail cached", "detail from the cache, share of the floor", (0.30, 0.35, 0.50)),
    ("create", "create, share of the floor", (0.35, 0.45, 0.50)),
)
# How far apart the same ratio of two runs may be.
ALIKE = 0.15
PAGE = """# How fast it is

`make bench` in the template measured this and wrote this page; nothing in it is written by hand. Every project answers
with everything switched on that it is generated with: access log, metrics, security headers, authentication, Redis,
Celery and PostgreSQL with {items:,} items. Beside it, on the same data and in turn with it, ran

- the **floor**: a bare WSGI or ASGI callable with the same SQL, driver and server, orjson, and nothing else;
- the framework **alone**: the floor's own functions as routes of the framework, with nothing around them. What it
  gives is what is left of the floor for a project to reach;
- a **peer**: the same endpoints as the best known template of that framework would set them up, with no authentication.

Shares of the floor and of the peer can be compared between machines; requests a second cannot. These are medians of
{rounds} rounds of {seconds} s, and of each round's shares, with {connections} connections, or with {log_in_connections}
for log-ins, which take long on purpose.

Measured on {date} with {machine}.

## Targets

{targets}

## One web process

{one}

![Requests a second, as shares of the floor](performance.svg)

## Two web processes

{two}

## Growth

A list and an item that no cache holds, as there are more items, more owners and more connections.

![Latency as items, owners and connections grow](growth.svg)

{growth}

Exports stream their items:

{exports}
"""


@dataclass
class Report:
    rounds: int
    seconds: int
    one: dict[str, Contest] = field(default_factory=dict)
    """With one web process, by framework."""
    two: dict[str, Contest] = field(default_factory=dict)
    growth: list[Point] = field(default_factory=list)
    exports: dict[str, dict[int, float]] = field(default_factory=dict)
    """The worker's memory in megabytes, by framework and by the number of items exported."""
    frozen: dict[str, float] = field(default_factory=dict)
    """Requests a second with the cache frozen, as a share of those with a healthy one, by framework."""
    start: dict[str, float] = field(default_factory=dict)
    """Seconds to the first 200, by framework."""
    enqueue_frozen: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Seconds of the first and of the slowest later request for a job while the broker is frozen, by framework."""


class Target(NamedTuple):
    name: str
    framework: str
    value: float
    limit: str
    met: bool
    alone: float | None = None
    """What the framework alone reaches, where that was measured."""


def targets(report: Report) -> list[Target]:
    rows: list[Target] = []
    for number, framework in enumerate(FRAMEWORKS):
        if framework not in report.one:
            continue
        contest = report.one[framework]
        floor, ours, alone, peer = contest["floor"], contest["ours"], contest.get("alone"), contest.get("peer")

        def least(name: str, value: float, limits: tuple[float, ...], alone: float | None = None) -> None:
            limit = limits[number]  # noqa: B023
            rows.append(Target(name, framework, value, f"≥ {limit:g}", value >= limit, alone))  # noqa: B023

        def most(name: str, value: float, limits: tuple[float, ...]) -> None:
            limit = limits[number]  # noqa: B023
            rows.append(Target(name, framework, value, f"≤ {limit:.3g}", value <= limit))  # noqa: B023

        for kind, name, limits in SHARES:
            if kind in ours.speeds:
                most_possible = ratio(alone, floor, kind) if alone and kind in alone.speeds else None
                least(name, ratio(ours, floor, kind), limits, most_possible)
        if "list" in ours.speeds:
            most("p99 of the list, by the floor's", ratio(ours, floor, "list", "p99"), (3, 2, 2))
        if peer and "list" in ours.speeds:
            least("list, by the peer's", ratio(ours, peer, "list"), (5, 4, 6))
            most("CPU for a list, by the peer's", ratio(ours, peer, "list", "cpu"), (1 / 4, 1 / 3, 1 / 7))
        most("memory of a web process, MB", ours.megabytes, (160, 130, 110))
        if framework in report.frozen:
            least("cache frozen, by healthy", report.frozen[framework], (0.8, 0.8, 0.8))
        if framework in report.start:
            most("start to the first 200, s", report.start[framework], (1.5, 1.5, 1.5))
        if framework in report.enqueue_frozen:
            first, later = report.enqueue_frozen[framework]
            most("first enqueue, broker frozen, s", first, (3.5, 3.5, 3.5))
            most("later enqueues, broker frozen, s", later, (1.2, 1.2, 1.2))
    return sorted(rows, key=lambda row: row.name)


def ratios(report: Report) -> dict[str, float]:
    """What can be compared between runs and machines, by name."""
    found = {f"{row.framework}: {row.name}": row.value for row in targets(report) if ", by " in row.name}
    for processes, contests in (("one process", report.one), ("two processes", report.two)):
        for framework, contest in contests.items():
            for kind in contest["ours"].speeds:
                share = ratio(contest["ours"], contest["floor"], kind)
                found[f"{framework}: {kind}, {processes}, share of the floor"] = share
    return found


def agreement(now: dict[str, float], before: dict[str, float]) -> str:
    """Which ratios of two runs are not alike."""
    both = now.keys() & before.keys()
    apart = {name for name in both if abs(now[name] - before[name]) > ALIKE * before[name]}
    lines = [f"{len(both) - len(apart)} of {len(both)} ratios are within {ALIKE:.0%} of those of the run before."]
    return "\n".join(lines + [f"  {name}: {before[name]:.3f}, now {now[name]:.3f}" for name in sorted(apart)])


def rows_of(contests: dict[str, Contest]) -> list[list[str]]:
    rows: list[list[str]] = []
    for framework, contest in contests.items():
        for kind in contest["ours"].speeds:
            for name, seen in contest.items():
                if kind not in seen.speeds:
                    continue
                speed = seen.speed(kind)
                peer = contest["peer"] if "peer" in contest and kind in contest["peer"].speeds else None
                statements = seen.statements.get(kind)
                rows.append(
                    [
                        kind,
                        {"ours": framework, "alone": f"{framework} alone"}.get(name, f"{name} of {framework}"),
                        f"{speed.per_second:.0f}",
                        f"{ratio(seen, contest['floor'], kind):.0%}",
                        f"{ratio(seen, peer, kind):.1f}" if peer else "",
                        f"{speed.p50:.1f}",
                        f"{speed.p99:.1f}",
                        f"{speed.cpu:.2f}",
                        "" if statements is None else f"{statements:.2g}",
                    ]
                )
    return rows


HEADINGS = [
    "request",
    "server",
    "a second",
    "of the floor",
    "by the peer's",
    "p50 ms",
    "p99 ms",
    "CPU ms",
    "statements",
]
TARGET_HEADINGS = ["target", "framework", "measured", "limit", "", "framework alone"]


def target_rows(report: Report) -> list[list[str]]:
    return [
        [
            target.name,
            target.framework,
            f"{target.value:.2f}",
            target.limit,
            "met" if target.met else "missed",
            "" if target.alone is None else f"{target.alone:.2f}",
        ]
        for target in targets(report)
    ]


def show(report: Report) -> None:
    console = Console(width=140)
    for title, contests in (("one web process", report.one), ("two web processes", report.two)):
        if contests:
            console.print(_table(f"{CONNECTIONS} connections, {ITEMS} items, {title}", HEADINGS, rows_of(contests)))
    console.print(_table("Targets", TARGET_HEADINGS, target_rows(report)))


def _table(title: str, headings: list[str], rows: list[list[str]]) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in HEADINGS[2:] else "left")
    for row in rows:
        table.add_row(*row)
    return table


def write(report: Report, folder: Path) -> None:
    """Write performance.md, performance.json, performance.svg and growth.svg."""
    found = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()} | asdict(report)
    data = folder / "performance.json"
    if data.exists():
        print(agreement(ratios(report), ratios(read(data))))
    data.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    # The same figures give the same bytes.
    mpl.rcParams |= {"svg.hashsalt": "performance", "font.size": 9}
    draw_shares(report, folder / "performance.svg")
    draw_growth(report, folder / "growth.svg")
    growth = [
        [p.framework, p.grows, f"{p.size:,}", p.kind, f"{p.statements:.2g}", f"{p.p50:.1f}", f"{p.p99:.1f}"]
        for p in report.growth
    ]
    growth_headings = ["framework", "what grows", "to", "request", "statements", "p50 ms", "p99 ms"]
    exports = [
        [framework, f"{items:,}", f"{megabytes:.0f}"]
        for framework, seen in report.exports.items()
        for items, megabytes in seen.items()
    ]
    page = PAGE.format(
        items=ITEMS,
        rounds=report.rounds,
        seconds=report.seconds,
        connections=CONNECTIONS,
        log_in_connections=LOG_IN_CONNECTIONS,
        date=found["date"],
        machine=found["machine"],
        targets=_markdown(TARGET_HEADINGS, target_rows(report)),
        one=_markdown(HEADINGS, rows_of(report.one)),
        two=_markdown(HEADINGS, rows_of(report.two)),
        growth=_markdown(growth_headings, growth),
        exports=_markdown(["framework", "items", "worker's memory, MB"], exports),
    )
    (folder / "performance.md").write_text(page, encoding="utf-8")


def read(data: Path) -> Report:
    """What can be compared of an earlier report."""
    found = json.loads(data.read_text(encoding="utf-8"))

    def contests(by_framework: dict[str, Any]) -> dict[str, Contest]:
        return {framework: {name: seen(**one) for name, one in by.items()} for framework, by in by_framework.items()}

    def seen(speeds: dict[str, list[list[float]]], megabytes: float, statements: dict[str, float]) -> Seen:
        return Seen({kind: [Speed(*speed) for speed in of] for kind, of in speeds.items()}, megabytes, statements)

    one, two = contests(found["one"]), contests(found["two"])
    return Report(found["rounds"], found["seconds"], one, two, frozen=found["frozen"])


def _markdown(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """What it was measured on."""
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    folder = max(Path("/usr/lib/postgresql").glob("*"), key=lambda path: int(path.name))
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    return (
        f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, Python {platform.python_version()}, "
        f"PostgreSQL {folder.name}, Redis {redis.split('v=')[1].split()[0]}"
    )


def draw_shares(report: Report, file: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(9, 3.5), layout="constrained")
    kinds = list(next(iter(report.one.values()))["ours"].speeds)
    for number, (framework, contest) in enumerate(report.one.items()):
        shares = [100 * ratio(contest["ours"], contest["floor"], kind) for kind in kinds]
        bars = axes.bar([place + 0.27 * (number - 1) for place in range(len(kinds))], shares, 0.25, label=framework)
        axes.bar_label(bars, fmt="%.0f", fontsize=7)
    axes.axhline(100, color="grey", linewidth=0.8)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("% of the floor's requests a second")
    axes.legend(frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def draw_growth(report: Report, file: Path) -> None:
    """Latency by what grows; solid lines are medians, dashed ones the 99th percentiles."""
    whats = list(dict.fromkeys(point.grows for point in report.growth))
    figure, grid = pyplot.subplots(len(GROWN), len(whats), figsize=(9, 5), layout="constrained", squeeze=False)
    for row, kind in enumerate(GROWN):
        for column, grows in enumerate(whats):
            axes = grid[row][column]
            for number, framework in enumerate(FRAMEWORKS):
                points = [p for p in report.growth if (p.framework, p.grows, p.kind) == (framework, grows, kind)]
                sizes = [point.size for point in points]
                axes.plot(sizes, [point.p50 for point in points], f"C{number}o-", label=framework, markersize=3)
                axes.plot(sizes, [point.p99 for point in points], f"C{number}o--", markersize=3, linewidth=0.8)
            axes.set_xscale("log")
            axes.set_ylim(bottom=0)
            axes.set_title(f"{kind}, by {grows}", fontsize=9)
    grid[0][0].set_ylabel("ms (dashed: p99)")
    grid[0][0].legend(frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
