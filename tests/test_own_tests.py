"""The tests that projects bring, for every pair of answers: on the servers that were chosen."""

import pytest

from tests.baking import bake
from tests.contract.variants import Variant, variants
from tests.services import program

# What keeps a test from running in a project that has everything.
MAY_SKIP = ("is about SQLite", "is about a cache in the process", "is about jobs in the process")


@pytest.mark.parametrize("variant", variants("real"), ids=str)
def test_they_pass(variant: Variant, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, package in {
        "initdb": "postgresql",
        "memcached": "memcached",
        "rabbitmq-server": "rabbitmq-server",
        "redis-server": "redis-server",
    }.items():
        program(name, package)
    # The contract's tests use the same projects.
    project = bake(tmp_path_factory.getbasetemp() / "projects", **variant.answers)
    output = project.run("make", "test", "ARGS=-rs").stdout
    assert " passed" in output
    assert "Tested " not in output, "nothing was missing"
    skipped: list[str] = [line for line in output.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if not any(reason in line for reason in MAY_SKIP)] == []


def test_every_pair_of_servers_is_tested() -> None:
    """With every framework, and with each other."""
    keys = ("framework", "cache", "queue", "database")
    seen = {
        (one, other, variant.answers[one], variant.answers[other])
        for variant in variants("real")
        for one in keys
        for other in keys
        if one < other
    }
    assert len(seen) == 3 * 3 * 3 + 3 * 3 * 2
