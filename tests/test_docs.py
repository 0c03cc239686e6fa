"""The documentation says what is there: its tables, links and commands are compared with what they describe."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from jinja2 import Environment

from tests import template_rules as rules
from tests.baking import ROOT, bake
from tests.contract.test_openapi import OPERATIONS
from tests.serving import running

DOCS = ROOT / "docs"
PROJECT = ROOT / rules.PROJECT
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
FRAMEWORKS = {"django": "Django", "flask": "Flask", "fastapi": "FastAPI"}
CODE = re.compile(r"`([^`]+)`")


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def shell_blocks(page: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def table(page: str, first_cell: str) -> list[list[str]]:
    """The rows, without their header, of every table of a page that begins with this cell."""
    rows: list[list[str]] = []
    found = False
    inside = False
    for line in prose(DOCS / page).splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells[0] == first_cell:
            inside = found = True
        elif inside and set(cells[0]) != {"-"}:
            rows.append(cells)
    assert found, f"{page} has no table of {first_cell}"
    return rows


def names(cell: str) -> set[str]:
    """What stands between backticks."""
    return set(CODE.findall(cell))


def code(cell: str) -> str:
    (name,) = CODE.findall(cell)
    return str(name)


def context() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    return loaded


def test_every_question_is_described_in_its_order() -> None:
    labels = context()["__prompts__"]
    asked = [
        (key, labels[key]["__prompt__"] if isinstance(value, list) else labels[key])
        for key, value in rules.questions(ROOT).items()
    ]
    rows = [row for row in table("questions.md", "key") if len(row) == 4 and row[1][0] != "`"]
    assert [(code(key), label) for key, label, _, _ in rows] == asked
    for (_, _, default, _), value in zip(rows, rules.questions(ROOT).values(), strict=True):
        first = value[0] if isinstance(value, list) else value
        assert code(default) == ("my-service" if "{{" in first else first)


def test_the_number_of_questions_is_right() -> None:
    assert f"| questions | {len(rules.questions(ROOT))}, with" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_choice_is_described_in_its_order() -> None:
    labels = context()["__prompts__"]
    offered = [(key, value, labels[key][value]) for key, values in rules.choices(ROOT).items() for value in values]
    rows = [row for row in table("questions.md", "key") if row[1][0] == "`"]
    assert [(code(key), code(value), label) for key, value, label, _ in rows] == offered


def test_every_refusal_is_described() -> None:
    written = [f"{code(key)} {reason}" for key, reason in table("questions.md", "the answer")]
    assert written == [rule["because"] for rule in context()["_rules"]]


def test_every_call_is_described() -> None:
    written = {}
    for call, _, answers, problems in table("project.md", "call"):
        method, path = code(call).split()
        success = {int(status) for status in re.findall(r"\b[23]\d\d\b", answers)}
        written[method.lower(), f"/api/v1{path}"] = (success, set(map(int, problems.split())))
    assert written == {call: (set(operation.success), operation.problems) for call, operation in OPERATIONS.items()}


def test_who_may_call_is_described() -> None:
    for call, who, _, _ in table("project.md", "call"):
        method, path = code(call).split()
        assert (who != "anyone") == OPERATIONS[method.lower(), f"/api/v1{path}"].authenticated, call


def test_every_variable_is_described() -> None:
    """`.env.example` and app/environment.py name the same: a rule of the template."""
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.M))
    rows = table("project.md", "variable")
    assert [code(name) for name, _, _ in rows] == list(example)
    for name, default, _ in rows:
        value = example[code(name)]
        assert not value or code(default) == value


def test_every_process_is_described() -> None:
    for framework in FRAMEWORKS:
        entrypoint = (PROJECT / "_layers" / framework / "core" / "entrypoint").read_text(encoding="utf-8")
        usage = re.search(r"usage: \$0 (\S+)", entrypoint)
        assert usage
        assert [code(name) for name, _ in table("project.md", "process")] == usage[1].split("|")


def test_every_rule_is_described() -> None:
    assert [code(name) for name, _ in table("architecture.md", "rule")] == [rule.__name__ for rule in rules.RULES]


def test_every_level_of_proof_is_described() -> None:
    written = {name.rstrip("/") for _, where, _ in table("architecture.md", "level") for name in names(where)}
    tests = ROOT / "tests"
    assert written == {
        f"tests/{path.name}" for path in [*tests.glob("test_*.py"), tests / "contract", tests / "faults"]
    }


def test_what_is_recorded_for_updates_is_described(tmp_path: Path) -> None:
    recorded = json.loads(bake(tmp_path).read(".cruft.json"))
    assert [code(name) for name, _ in table("updating.md", "entry")] == list(recorded)


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[~<>=]", requirement)[0] for requirement in requirements}


def dependencies(pyproject: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What runs the project, and what only its development needs."""
    groups = pyproject["dependency-groups"].values()
    running = distributions(pyproject["project"]["dependencies"])
    return running, distributions([name for group in groups for name in group]) - running


def generated() -> dict[str, tuple[set[str], set[str]]]:
    """The dependencies of each framework's projects, whatever else is answered."""
    environment = Environment(autoescape=False, **context()["_jinja2_env_vars"])
    template = environment.from_string((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    quoted = {key: '"x"' for key in context() if key.startswith("__quoted")}
    found: dict[str, tuple[set[str], set[str]]] = {framework: (set(), set()) for framework in FRAMEWORKS}
    seen: set[str] = set()
    for answers in rules.all_answers(ROOT):
        rendered = template.render(cookiecutter=answers | quoted)
        if rendered not in seen:
            seen.add(rendered)
            for known, new in zip(found[answers["framework"]], dependencies(tomllib.loads(rendered)), strict=True):
                known.update(new)
    return found


def rows_below(heading: str) -> list[list[str]]:
    text = (DOCS / "decisions.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert section
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in section[1].splitlines() if line.startswith("| `")
    ]


@pytest.mark.parametrize(
    ("heading", "group"),
    [("What a generated project runs on", 0), ("What a generated project is developed with", 1)],
)
def test_every_dependency_of_a_project_is_explained(heading: str, group: int) -> None:
    where: dict[str, set[str]] = {}
    for framework, groups in generated().items():
        for name in groups[group]:
            where.setdefault(name, set()).add(FRAMEWORKS[framework])
    rows = rows_below(heading)
    written = {
        code(name): set(FRAMEWORKS.values()) if used == "all" else set(used.split(", ")) for name, used, _, _ in rows
    }
    assert written == where
    assert len(written) == len(rows)
    assert all(reason and considered for *_, reason, considered in rows)


def test_every_dependency_of_the_template_is_explained() -> None:
    running, development = dependencies(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    rows = rows_below("What the template needs")
    assert sorted(code(name) for name, _, _ in rows) == sorted(running | development)
    assert all(reason and considered for _, reason, considered in rows)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs both make them."""
    return {
        re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in re.findall(r"^#+ (.+)$", prose(page), re.M)
    }


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            continue
        target = (page.parent / parts.path).resolve() if parts.path else page
        assert target.is_file(), link
        assert not parts.fragment or parts.fragment in anchors(target), link
        # MkDocs publishes nothing from outside its folder.
        assert page.parent == ROOT or DOCS in target.parents, link


def test_every_page_is_in_the_navigation() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed = [page for section in config["nav"] for entries in section.values() for e in entries for page in e.values()]
    assert sorted(listed) == sorted(page.name for page in DOCS.glob("*.md"))


def make_targets(makefile: Path) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page: Path) -> None:
    targets = make_targets(ROOT / "Makefile") | make_targets(PROJECT / "Makefile")
    text = "\n".join([*shell_blocks(page), *CODE.findall(prose(page))])
    for target in re.findall(r"^(?:\w+=\S+ )*make ([a-z-]+)", text, re.M):
        assert target in targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_path_exists(page: Path) -> None:
    """What looks like a path of the template or of a project, between backticks."""
    roots = [ROOT, PROJECT, *(PROJECT / "_layers").glob("*"), *(PROJECT / "_layers").glob("*/core")]
    for name in CODE.findall(prose(page)):
        if re.fullmatch(r"(?:tests|docs|hooks|app|_layers|\.github|\.vscode)/[\w./-]*", name):
            assert any((root / name).exists() for root in roots), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_shell(page: Path) -> None:
    for block in shell_blocks(page):
        subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=True)


def test_the_first_request_of_the_quick_start_works(tmp_path: Path) -> None:
    requests = [block for block in shell_blocks(DOCS / "quick-start.md") if "curl" in block]
    with running(bake(tmp_path)) as server:
        script = "\n".join(requests).replace("http://localhost:8000", server.base_url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail"], input=script, text=True, capture_output=True, timeout=60, check=True
        )
        assert '"title":"First"' in done.stdout
        location = re.search(r"(?im)^location: (\S+)", done.stdout)
        assert location
        assert httpx.get(server.base_url + location[1]).status_code == 401


class Resources(HTMLParser):
    """What a browser loads by itself to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if address and values.get("rel") != "canonical":
            self.found.append(address)


def loaded(site: Path) -> Iterator[str]:
    for page in site.rglob("*.html"):
        resources = Resources()
        resources.feed(page.read_text(encoding="utf-8"))
        yield from resources.found
    for style in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        text = style.read_text(encoding="utf-8")
        yield from re.findall(r"""(?:url\(|@import )["']?([^"')]+)""", text)


def test_the_site_is_built_and_asks_no_other_host(tmp_path: Path) -> None:
    command = ("uv", "run", "--quiet", "--group", "docs", "mkdocs", "build", "--strict", "--quiet", "--site-dir")
    done = subprocess.run(
        [*command, str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    addresses = list(loaded(tmp_path / "site"))
    assert len(addresses) > 20
    assert not [address for address in addresses if re.match(r"(https?:)?//", address)]
