from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baking import bake
from tests.contract.variants import Variant
from tests.faults import report
from tests.faults.load import REQUESTS_A_SECOND
from tests.faults.report import Findings
from tests.faults.stack import Stack
from tests.faults.stack import stack as start

# Between them, each framework meets each server.
VARIANTS = [
    Variant(framework, cache, queue, "postgres-replicas")
    for framework in ("django", "flask", "fastapi")
    for cache, queue in (("redis", "celery-redis"), ("memcached", "celery-rabbitmq"))
]
ONE_OF_EACH_FRAMEWORK = VARIANTS[::2]

FINDINGS = pytest.StashKey[Findings]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-seconds", type=float, default=20.0, help="how long a failed part stays away")
    parser.addoption("--reliability", type=Path, help="write what was seen into this page")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FINDINGS] = Findings()


def pytest_terminal_summary(config: pytest.Config) -> None:
    findings = config.stash[FINDINGS]
    if findings.rows or findings.experiments:
        report.show(findings)


def pytest_sessionfinish(session: pytest.Session) -> None:
    file = session.config.getoption("--reliability", default=None)
    if file and not session.testsfailed:
        findings = session.config.stash[FINDINGS]
        seconds = session.config.getoption("--fault-seconds", default=20.0)
        file.write_text(report.page(findings, REQUESTS_A_SECOND, seconds), encoding="utf-8")


@pytest.fixture(scope="session")
def findings(pytestconfig: pytest.Config) -> Findings:
    return pytestconfig.stash[FINDINGS]


@pytest.fixture(scope="session")
def seconds(pytestconfig: pytest.Config) -> float:
    return float(pytestconfig.getoption("--fault-seconds", default=20.0))


@pytest.fixture(scope="package", params=VARIANTS, ids=str)
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    variant: Variant = request.param
    project = bake(tmp_path_factory.getbasetemp() / "projects", **variant.answers)
    project.run("make", "install")
    with start(project, variant, tmp_path_factory.mktemp("stack")) as running:
        yield running
