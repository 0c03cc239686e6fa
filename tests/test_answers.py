"""Hostile answers give a project that is right in every byte, or one clear refusal that leaves nothing behind."""

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter

from tests.baking import ROOT, bake, template
from tests.template_rules import choices

TEXTS = [
    "O'Connor & Söhne",
    'The "best" shop',
    "'''triple''' and \"\"\"triple\"\"\"",
    '""" + "x',
    "back\\slash",
    "ends with a backslash\\",
    "\\n is no line break, nor is \\u0041",
    "{single} braces } {",
    "Ünïcödé, 東京, Ελλάδα",
    "🚀 Rocket 👩‍👩‍👧",
    "مرحبا بالعالم",
    "שלום עולם",
    "yes",
    "null",
    "- x",
    ": x",
    "key: value",
    "# no comment",
    "% percent",
    "& anchor *alias !tag",
    "[table]",
    "a = 1",
    "1e3",
    "<script>alert(1)</script>",
    "</script><!-- x",
    "$(touch hacked) `touch hacked` ${HOME}",
    "; rm -rf . #",
    "%s %(name)s {0}",
    "@here | > - ?",
    "two  spaces",
    "x" * 80,
]
REFUSED_TEXTS = [
    "",
    "   ",
    "two\nlines",
    "carriage\rreturn",
    "a\ttab",
    "bell\x07",
    "delete\x7f",
    "next line\x85",
    "line separator\u2028",
    "half a pair \ud800",
    "x" * 300,
    "{{ cookiecutter.__class__ }}",
    "{{ 7 * 7 }}",
    "{% raw %}x{% endraw %}",
    "{# comment #}",
]
REFUSED_SLUGS = [
    "",
    ".",
    "..",
    "../../x",
    "/tmp/absolute",
    "a/b/c",
    "a\\b",
    "~",
    "x",
    "x" * 31,
    "x" * 300,
    "3d",
    "-x",
    "x-",
    "x--y",
    "My-Service",
    "my_service",
    "my service",
    "my.service",
    "sérvice",
    "my-service\n",
    "$(x)",
    "`x`",
    "{{ 7 * 7 }}",
    "con",
    "nul",
    "com1",
    "lpt9",
    "yes",
    "null",
    "django",
    "flask",
    "fastapi",
    "click",
    "redis",
    "celery",
    "psycopg",
    "postgres",
]
GOOD_SLUGS = ["class", "json", "test", "app", "import", "my-service", "x" * 30, "a1"]
GOOD_ADDRESSES = ["o'connor+tag@example.co.uk", "a.b_c%d@sub-domain.example.museum", "x@xn--bcher-kva.xn--p1ai"]
REFUSED_ADDRESSES = ["", "x", "x@y", 'a"b@example.com', "a\\@example.com", "a b@example.com", "a@b@example.com"]
REFUSED_ADDRESSES += [
    "a@example.com\n",
    "a@-example.com",
    "<a@example.com>",
    "a@example..com",
    "a" * 250 + "@example.com",
]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


def parse(project: Path) -> Iterator[str]:
    """Read every file whose format has a reader; what was read."""
    readers: dict[str, Callable[[str], object]] = {
        ".py": ast.parse,
        ".toml": tomllib.loads,
        ".json": json.loads,
        ".yml": lambda text: list(yaml.safe_load_all(text)),
    }
    readers[".yaml"] = readers[".yml"]
    for path in project.rglob("*"):
        if path.is_file() and path.suffix in readers:
            readers[path.suffix](path.read_text(encoding="utf-8"))
            yield path.name


def refusal(folder: Path, capfd: pytest.CaptureFixture[str], **answers: str) -> str:
    """Generate a project that must be refused with nothing left behind; what was said."""
    out = folder / "a" / "b" / "out"
    out.mkdir(parents=True)
    config = folder / "config.yml"
    config.write_text(f"replay_dir: {folder}/replay\n", encoding="utf-8")
    (folder / "replay").mkdir()
    before = snapshot(folder / "a"), sorted(Path("/tmp").glob("absolute*"))
    with pytest.raises(FailedHookException):
        cookiecutter(
            str(template()), no_input=True, extra_context=answers, output_dir=str(out), config_file=str(config)
        )
    assert (snapshot(folder / "a"), sorted(Path("/tmp").glob("absolute*"))) == before
    return capfd.readouterr().err


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_text_comes_out_as_it_went_in(tmp_path: Path, text: str) -> None:
    project = bake(tmp_path, project_name=text, project_slug="my-service", description=text, author_name=text)
    assert {"pyproject.toml", ".cruft.json"} <= set(parse(project.path))
    made = tomllib.loads(project.read("pyproject.toml"))
    assert made["tool"]["app"]["title"] == text
    assert made["project"]["description"] == text
    assert made["project"]["authors"][0]["name"] == text
    recorded = json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]
    assert (recorded["project_name"], recorded["description"], recorded["author_name"]) == (text, text, text)


@pytest.mark.parametrize("text", REFUSED_TEXTS, ids=ascii)
def test_a_text_that_cannot_work_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    answers = {"project_slug": "my-service", "project_name": text, "author_name": text, "description": text}
    said = refusal(tmp_path, capfd, **answers)
    for name in ("project_name must be", "author_name must be", "description must be"):
        assert name in said


@pytest.mark.parametrize("slug", GOOD_SLUGS)
def test_a_slug_may_be_a_keyword_or_a_module(tmp_path: Path, slug: str) -> None:
    project = bake(tmp_path, project_slug=slug)
    assert project.path.name == slug
    assert tomllib.loads(project.read("pyproject.toml"))["project"]["name"] == slug


@pytest.mark.parametrize("slug", REFUSED_SLUGS, ids=ascii)
def test_a_slug_that_cannot_work_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], slug: str) -> None:
    assert "project_slug must" in refusal(tmp_path, capfd, project_slug=slug)


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_an_unusual_address_is_kept(tmp_path: Path, address: str) -> None:
    made = tomllib.loads(bake(tmp_path, author_email=address).read("pyproject.toml"))
    assert made["project"]["authors"][0]["email"] == address


@pytest.mark.parametrize("address", REFUSED_ADDRESSES, ids=ascii)
def test_what_is_no_address_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], address: str) -> None:
    assert "author_email must be an address" in refusal(tmp_path, capfd, author_email=address)


@pytest.mark.parametrize("name", ["My Service", "O'Connor's 3rd shop", "東京", "x" * 80, "a " * 40, "Ünïcödé"])
def test_the_slug_that_follows_from_a_name_works(tmp_path: Path, name: str) -> None:
    assert 2 <= len(bake(tmp_path, project_name=name).path.name) <= 30


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cookiecutter")), str(template()), "--no-input", *arguments]
    env = os.environ | {"HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_every_reason_is_said_at_once(tmp_path: Path) -> None:
    done = run(tmp_path, "project_slug=../x", "project_name= ", "author_email=nobody")
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert [line.split()[1] for line in said] == ["project_slug", "project_name", "author_email"]


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_folder_with_files_is_never_touched(tmp_path: Path, where: str) -> None:
    out = tmp_path if where == "here" else tmp_path / where
    kept = out / "my-service" / "notes.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    for force in ([], ["-f"]):
        done = run(tmp_path, "-o", str(out), *force)
        assert done.returncode == 1
        assert "not empty" in done.stderr if force else "already exists" in done.stdout
        assert list(kept.parent.iterdir()) == [kept]
        assert kept.read_text() == "mine"


def test_a_fresh_repository_can_be_filled(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "my-service"], cwd=tmp_path, check=True)
    done = run(tmp_path, "-f")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "my-service" / "pyproject.toml").exists()
    assert (tmp_path / "my-service" / ".git" / "HEAD").exists()


def names_of(requirements: list[str]) -> set[str]:
    return {requirement.split("~")[0].split(">")[0].split("=")[0].split("[")[0] for requirement in requirements}


@pytest.mark.parametrize("framework", choices(ROOT)["framework"])
def test_no_slug_can_be_the_name_of_a_dependency(tmp_path: Path, framework: str) -> None:
    made = tomllib.loads(bake(tmp_path, framework=framework).read("pyproject.toml"))
    needed = names_of(made["project"]["dependencies"])
    for group in made["dependency-groups"].values():
        needed |= names_of([requirement for requirement in group if isinstance(requirement, str)])
    reserved = set(json.loads((ROOT / "cookiecutter.json").read_text())["_packages"].split())
    assert {name for name in needed if len(name) <= 30} - reserved == set()
