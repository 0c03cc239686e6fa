"""How long a user waits: for a project, for its first answer, for its tests. Run it by `make bench`."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.baking import BakedProject, bake, fresh_environment, template
from tests.serving import running

FRAMEWORKS = ("django", "flask", "fastapi")
ROUNDS = 7
# Upper limits in seconds, by the names of the measurements.
TARGETS = {"command line": 0.6, "in process": 0.35, "make run to the first 200": 10.0, "make test": 15.0}


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def by_command_line(folder: Path, framework: str) -> float:
    """The time of one run of the `cookiecutter` command."""
    command = ["cookiecutter", str(template()), "--no-input", "--output-dir", str(folder), f"framework={framework}"]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True, env=fresh_environment()))


def first_answer(project: BakedProject) -> float:
    """The time from `make run` in a fresh clone, with warm package caches, to the first 200."""
    started = time.perf_counter()
    with running(project):
        return time.perf_counter() - started


def measure(framework: str, scratch: Path) -> dict[str, float]:
    # Rounds alternate, so that a noisy moment does not fall on one measurement alone.
    generation = [
        (
            by_command_line(Path(tempfile.mkdtemp(dir=scratch)), framework),
            seconds(lambda: bake(Path(tempfile.mkdtemp(dir=scratch)), framework=framework)),
        )
        for _ in range(ROUNDS)
    ]
    project = bake(scratch / framework, framework=framework)
    files = sum(path.is_file() for path in project.path.rglob("*"))
    project.run("uv", "sync", "--quiet")
    subprocess.run(["rm", "-rf", str(project.path / ".venv")], check=True)
    return {
        "files": files,
        "command line": statistics.median(command for command, _ in generation),
        "in process": statistics.median(inside for _, inside in generation),
        "make run to the first 200": first_answer(project),
        "make test": seconds(lambda: project.run("make", "test")),
    }


def main() -> None:
    table = Table("", "target", *FRAMEWORKS, title=f"Seconds; generation is the median of {ROUNDS}")
    with tempfile.TemporaryDirectory() as folder:
        results = {framework: measure(framework, Path(folder)) for framework in FRAMEWORKS}
    for name in results[FRAMEWORKS[0]]:
        target = TARGETS.get(name)
        cells = [
            f"{results[framework][name]:.2f} {'met' if results[framework][name] < target else 'missed'}"
            if target
            else f"{results[framework][name]:.0f}"
            for framework in FRAMEWORKS
        ]
        table.add_row(name, f"< {target}" if target else "", *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
