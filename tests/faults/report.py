"""What was seen while something had failed: the table that the tests print and docs/reliability.md keeps."""

from dataclasses import dataclass, field, fields

from rich.console import Console
from rich.table import Table

PAGE = """# Reliability

What was seen when parts of generated projects were killed (`kill -9`) or frozen (`SIGSTOP`) for {seconds} seconds while
{rate} requests a second came in, and when they came back. `make reliability` measured it and wrote this page;
`pytest tests/faults` checks it again, and every change to the template has to pass it. Each project served with two web
processes, a worker and a beat, on PostgreSQL with two streaming standbys.

- **failed** counts answers of 500 and above and broken connections. Only a database that is gone may cause the former,
  as 503, and only a web process that is killed the latter.
- **recovered** is the time in seconds from the part's return to the last failed answer.
- **p99** is in seconds, while the part was gone.
- **lost** counts jobs that were accepted with 202 and did not succeed; **half-written** counts items that hold anything
  else than what was sent.

{table}
{experiments}"""


@dataclass(frozen=True)
class Row:
    """One failure of one part."""

    project: str
    part: str
    failure: str
    requests: int
    failed: int
    recovered: float
    p99: float
    jobs: int
    lost: int
    half_written: int


@dataclass
class Findings:
    """What the report is made of."""

    rows: list[Row] = field(default_factory=list)
    # The project, what was done to it, what came of it.
    experiments: list[tuple[str, str, str]] = field(default_factory=list)


def cells(row: Row) -> list[str]:
    return [f"{value:.2f}" if isinstance(value, float) else str(value) for value in vars(row).values()]


HEADER = [column.name.replace("_", "-") for column in fields(Row)]


def as_markdown(rows: list[Row]) -> str:
    lines = [HEADER, ["---"] * len(HEADER), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(findings: Findings) -> None:
    console = Console(width=140)
    table = Table(*HEADER, title="What failures did")
    for row in findings.rows:
        table.add_row(*cells(row))
    console.print(table)
    for project, experiment, outcome in findings.experiments:
        console.print(f"{project}: {experiment}: {outcome}", highlight=False)


def page(findings: Findings, rate: int, seconds: float) -> str:
    lines = [("project", "experiment", "outcome"), ("---",) * 3, *findings.experiments]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return PAGE.format(rate=rate, seconds=f"{seconds:.0f}", table=as_markdown(findings.rows), experiments=table)
