"""A project can be updated: cruft merges what changed in the template, or in the answers."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import template_rules as rules
from tests.baking import bake, fresh_environment, template


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The template in a Git repository of its own."""
    folder = Path(shutil.copytree(template(), tmp_path / "template"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Template")
    return folder


def run(folder: Path, *command: str) -> None:
    # cruft makes commits in folders of its own, for which Git wants to know an author.
    identity = {f"GIT_{role}_{key}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    done = subprocess.run(
        command,
        cwd=folder,
        env=fresh_environment(**identity),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def generate(repository: Path, folder: Path, **answers: str) -> Path:
    """A committed project, made by cookiecutter as a user makes one."""
    folder.mkdir()
    given = [f"{key}={value}" for key, value in answers.items()]
    run(folder, "cookiecutter", str(repository), "--no-input", *given)
    project = folder / "my-service"
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project, "Project")
    return project


def contents(project: Path) -> dict[str, bytes]:
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.name != ".cruft.json"
    }


def test_the_answers_are_recorded(repository: Path, tmp_path: Path) -> None:
    project = generate(repository, tmp_path / "out", framework="flask")
    record = json.loads((project / ".cruft.json").read_text())
    assert record["template"] == str(repository)
    assert record["commit"] == git(repository, "rev-parse", "HEAD")
    answers = record["context"]["cookiecutter"]
    assert answers["framework"] == "flask"
    assert answers.keys() == {*rules.questions(repository), "_template"}


def test_a_relative_template_is_recorded_in_full(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    subprocess.run(
        ["cookiecutter", "../template", "--no-input"],
        cwd=tmp_path / "out",
        env=fresh_environment(PWD=str(tmp_path / "out")),
        check=True,
        capture_output=True,
    )
    record = json.loads((tmp_path / "out" / "my-service" / ".cruft.json").read_text())
    assert record["template"] == str(repository)
    assert record["commit"] == git(repository, "rev-parse", "HEAD")


def test_a_cloned_template_is_recorded_by_its_address(repository: Path, tmp_path: Path) -> None:
    address = f"file://{repository}"
    config = tmp_path / "config.yml"
    config.write_text(f"cookiecutters_dir: {tmp_path}/clones\nreplay_dir: {tmp_path}/replay\n")
    (tmp_path / "out").mkdir()
    run(tmp_path / "out", "cookiecutter", f"git+{address}", "--no-input", "--config-file", str(config))
    record = json.loads((tmp_path / "out" / "my-service" / ".cruft.json").read_text())
    assert record["template"] == address
    assert record["commit"] == git(repository, "rev-parse", "HEAD")


def test_a_change_of_the_template_arrives(repository: Path, tmp_path: Path) -> None:
    project = generate(repository, tmp_path / "out", framework="fastapi")
    readme = project / "README.md"
    readme.write_text(readme.read_text() + "\nOur own words.\n")
    commit(project, "Our change")

    inner = repository / rules.PROJECT
    (inner / "app" / "new.py").write_text("NEW = True\n")
    (inner / "AGENTS.md").write_text((inner / "AGENTS.md").read_text().replace("# The map", "# The new map"))
    (inner / "_layers" / "github" / ".github" / "dependabot.yml").unlink()
    commit(repository, "Change")

    run(project, "cruft", "update", "--skip-apply-ask")
    assert (project / "app" / "new.py").read_text() == "NEW = True\n"
    assert "# The new map" in (project / "AGENTS.md").read_text()
    assert not (project / ".github" / "dependabot.yml").exists()
    assert readme.read_text().endswith("Our own words.\n")
    assert not list(project.rglob("*.rej"))
    assert json.loads((project / ".cruft.json").read_text())["commit"] == git(repository, "rev-parse", "HEAD")
    run(project, "cruft", "check")


@pytest.mark.parametrize(("before", "after"), [("django", "flask"), ("flask", "fastapi"), ("fastapi", "django")])
def test_the_framework_can_be_switched(repository: Path, tmp_path: Path, before: str, after: str) -> None:
    project = generate(repository, tmp_path / "before", framework=before)
    fresh = generate(repository, tmp_path / "after", framework=after)
    run(project, "cruft", "update", "--skip-apply-ask", "--variables-to-update", json.dumps({"framework": after}))
    assert contents(project) == contents(fresh)


@pytest.mark.parametrize("made_by", ["cookiecutter", "cruft"])
def test_one_update_follows_another(repository: Path, tmp_path: Path, made_by: str) -> None:
    if made_by == "cookiecutter":
        project = generate(repository, tmp_path / "out")
    else:
        (tmp_path / "out").mkdir()
        run(tmp_path / "out", "cruft", "create", str(repository), "--no-input")
        project = tmp_path / "out" / "my-service"
        git(project, "init", "--quiet", "--initial-branch=main")
        commit(project, "Project")
    for number in ("1", "2"):
        (repository / rules.PROJECT / "app" / "new.py").write_text(f"NEW = {number}\n")
        commit(repository, f"Change {number}")
        run(project, "cruft", "update", "--skip-apply-ask")
        commit(project, f"Update {number}")
        assert (project / "app" / "new.py").read_text() == f"NEW = {number}\n"
    run(project, "cruft", "update", "--skip-apply-ask", "--variables-to-update", '{"framework": "flask"}')
    assert not (project / "manage.py").exists()
    assert not list(project.rglob("*.rej"))


def test_cruft_itself_can_create(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    run(tmp_path / "out", "cruft", "create", str(repository), "--no-input", "--extra-context", '{"framework": "flask"}')
    created = contents(tmp_path / "out" / "my-service")
    assert created == contents(bake(tmp_path / "bake", framework="flask").path)
