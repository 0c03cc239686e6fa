"""Each part of a running project dies under load and comes back: what was accepted is kept, what can be is served."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import pytest

from tests.faults.conftest import ONE_OF_EACH_FRAMEWORK
from tests.faults.load import MIX, Answer, body_of, failed, load, p99
from tests.faults.report import Findings, Row
from tests.faults.stack import ITEMS_TO_EXPORT, Stack, kill
from tests.services import Daemon
from tests.serving import eventually

# How long what is gone may show after its return.
RECOVERY_SECONDS = 2
# The broker may hand out again only what it takes for lost, and the sweep what is due.
JOBS_SECONDS = 90


@contextmanager
def killed(daemon: Daemon) -> Iterator[None]:
    daemon.kill()
    try:
        yield
    finally:
        daemon.start()


def gone(part: Callable[[Stack], Daemon], failure: str) -> Callable[[Stack, ExitStack], None]:
    def breaks(stack: Stack, until_mended: ExitStack) -> None:
        daemon = part(stack)
        until_mended.enter_context(daemon.frozen() if failure == "frozen" else killed(daemon))

    return breaks


def process_dies(name: str) -> Callable[[Stack, ExitStack], None]:
    def breaks(stack: Stack, until_mended: ExitStack) -> None:
        kill(stack.processes[name])
        until_mended.callback(lambda: stack.start(name))

    return breaks


def web_process_dies(stack: Stack, until_mended: ExitStack) -> None:
    # Its parent starts another one at once.
    stack.web_process().kill()


@dataclass(frozen=True)
class Fault:
    part: str
    failure: str
    breaks: Callable[[Stack, ExitStack], None]
    # The status of what cannot be answered meanwhile, 0 for a broken connection; none where everything can.
    may_fail: int | None = None
    # For how many seconds; none means until the part is back.
    lasts: float | None = None
    # Whether a request may take longer than a second: for a database or a process that takes the cores to start.
    slow: bool = False

    def __str__(self) -> str:
        return f"{self.part}-{self.failure}"


OF_EACH_SERVER = [
    *(Fault("cache", failure, gone(lambda stack: stack.cache, failure)) for failure in ("killed", "frozen")),
    *(Fault("broker", failure, gone(lambda stack: stack.broker, failure)) for failure in ("killed", "frozen")),
    Fault("worker", "killed", process_dies("worker"), slow=True),
]
OF_THE_REST = [
    *(
        Fault("replica", failure, gone(lambda stack: stack.databases.standbys[0], failure), slow=True)
        for failure in ("killed", "frozen")
    ),
    *(
        Fault("database", failure, gone(lambda stack: stack.databases.primary, failure), may_fail=503, slow=True)
        for failure in ("killed", "frozen")
    ),
    Fault("beat", "killed", process_dies("beat"), slow=True),
    Fault("web process", "killed", web_process_dies, may_fail=0, lasts=0, slow=True),
]


@pytest.mark.parametrize("fault", OF_EACH_SERVER, ids=str)
def test_a_chosen_server_fails(stack: Stack, fault: Fault, findings: Findings, seconds: float) -> None:
    """With each cache and each queue."""
    see(stack, fault, findings, seconds)


@pytest.mark.parametrize("fault", OF_THE_REST, ids=str)
@pytest.mark.parametrize("stack", ONE_OF_EACH_FRAMEWORK, ids=str, indirect=True)
def test_a_part_of_every_project_fails(stack: Stack, fault: Fault, findings: Findings, seconds: float) -> None:
    """It is the same part whatever was chosen for cache and queue."""
    see(stack, fault, findings, seconds)


def see(stack: Stack, fault: Fault, findings: Findings, seconds: float) -> None:
    """Break a part for so many seconds under load, and look at everything that was promised meanwhile."""
    with load(stack.server.base_url, stack.writer, stack.exporter) as asked:
        time.sleep(2)
        with ExitStack() as until_mended:
            broken = time.monotonic()
            fault.breaks(stack, until_mended)
            time.sleep(seconds)
        mended = time.monotonic()
        time.sleep(RECOVERY_SECONDS + 2)
    with suppress(AssertionError):
        eventually(lambda: not unfinished(stack, asked.jobs), JOBS_SECONDS)
    lost = unfinished(stack, asked.jobs)
    items = stack.items()
    half_written = [path for path, (title, body) in items.items() if body != body_of(title)]
    half_written += asked.items.keys() - items.keys()
    bad = failed(asked.answers)
    row = Row(
        project=str(stack.variant),
        part=fault.part,
        failure=fault.failure,
        requests=len(asked.answers),
        failed=len(bad),
        recovered=max([0.0, *(answer.ended - mended for answer in bad)]),
        p99=p99(asked.since(broken, mended)),
        jobs=len(asked.jobs),
        lost=len(lost),
        half_written=len(half_written),
    )
    findings.rows.append(row)
    assert not lost
    assert not half_written
    assert {stack.exported(job) for job in asked.jobs} == {ITEMS_TO_EXPORT}
    until = mended if fault.lasts is None else broken + fault.lasts
    allowed = [answer for answer in bad if answer.status == fault.may_fail]
    assert len(allowed) == len(bad), told(bad, broken)
    late = [answer for answer in allowed if not broken <= answer.ended <= until + RECOVERY_SECONDS]
    assert not late, told(late, broken)
    assert fault.slow or row.p99 < 1, told(sorted(asked.since(broken), key=lambda answer: -answer.seconds), broken)
    # Afterwards everything is asked and answered again.
    assert {answer.kind for answer in asked.since(mended + RECOVERY_SECONDS)} == set(MIX)


def unfinished(stack: Stack, jobs: list[str]) -> list[str]:
    """Those that have not succeeded."""
    return [job for job, status in stack.job_statuses(jobs).items() if status != "succeeded"]


def told(answers: list[Answer], broken: float) -> str:
    """The first of them: when they were asked, what they were, how they ended."""
    return f"{len(answers)}: " + ", ".join(
        f"{answer.at - broken:.1f} s: {answer.kind} {answer.status} after {answer.seconds:.1f} s"
        for answer in answers[:20]
    )
