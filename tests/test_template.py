"""The template keeps its own rules, and each rule is able to catch what it forbids."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import template_rules as rules
from tests.baking import template

Rule = Callable[[Path], Iterator[str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(template(), tmp_path / "template"))


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule: Rule, copy: Path) -> None:
    assert list(rule(copy)) == []


def write(path: str, text: str) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        target = root / path.replace("PROJECT", rules.PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a") as file:
            file.write(text)

    return plant


def edit_questions(**changes: object) -> Callable[[Path], None]:
    def plant(root: Path) -> None:
        path = root / "cookiecutter.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return plant


def empty_layer(root: Path) -> None:
    shutil.rmtree(root / rules.PROJECT / "_layers" / "github")


PLANTED: list[tuple[Rule, Callable[[Path], None], str]] = [
    (rules.python_holds_no_jinja, write("PROJECT/app/x.py", 'x = "{{ cookiecutter.framework }}"\n'), "app/x.py holds"),
    (rules.python_holds_no_jinja, write("PROJECT/infra/x.tf", "{% if true %}{% endif %}\n"), "x.tf holds"),
    (rules.a_choice_is_a_file, write("PROJECT/.editorconfig", "{% if true %}{% endif %}\n"), ".editorconfig branches"),
    (rules.sources_are_python, write("PROJECT/app/x.py", "{{ cookiecutter.x }} = 1\n"), "x.py does not parse"),
    (rules.the_package_is_app, write("PROJECT/service/x.py", ""), "service/x.py is outside"),
    (rules.the_package_is_app, write("PROJECT/_layers/flask/core/lib/x.py", ""), "lib/x.py is outside"),
    (rules.layers_and_folders_agree, write("PROJECT/_layers/orphan/x.txt", ""), "orphan/x.txt belongs to 0 layers"),
    (rules.layers_and_folders_agree, empty_layer, "names github, which holds no file"),
    (rules.layers_never_overlap, write("PROJECT/_layers/django/core/README.md", ""), "README.md stands in django/core"),
    (rules.layers_never_overlap, write("PROJECT/_layers/github/LICENSE", ""), "LICENSE stands in licenses/"),
    (rules.every_layer_is_a_choice, write("PROJECT/_layers/layers.yml", "always: true\n"), "layer always is wanted"),
    (rules.every_choice_is_labelled, edit_questions(ci=["github", "none", "jenkins"]), "ci=jenkins has no label"),
    (rules.every_choice_is_labelled, edit_questions(region="eu"), "region has no label"),
    (rules.every_choice_is_used, edit_questions(ci=["github", "none", "jenkins"]), "ci=jenkins changes nothing"),
    (rules.concern_files_know_no_domain, write("PROJECT/app/x.py", "import app.items.models\n"), "app/x.py imports"),
    (
        rules.concern_files_know_no_domain,
        write("PROJECT/app/users/x.py", "from app.items import api\n"),
        "another domain's routes",
    ),
    (rules.files_stay_short, write("PROJECT/app/x.py", "x = 1\n" * 201), "x.py is longer"),
    (rules.hooks_stay_short_and_plain, write("hooks/x.py", "x = 1\n" * 250), "250 lines or more"),
    (rules.hooks_stay_short_and_plain, write("hooks/x.py", "import httpx\n"), "imports httpx"),
    (
        rules.actions_are_pinned,
        write("PROJECT/_layers/github/.github/workflows/x.yml", "permissions: {}\n- uses: actions/checkout@v5\n"),
        "uses: actions/checkout@v5",
    ),
    (rules.actions_are_pinned, write(".github/workflows/x.yml", "jobs: {}\n"), "names no permissions"),
    (rules.nothing_holds_download_addresses, write("PROJECT/uv.lock", ""), "is a lock file"),
    (rules.settings_are_documented_and_used, write("PROJECT/.env.example", "UNKNOWN=\n"), "unknown stands in only one"),
    (
        rules.settings_are_documented_and_used,
        lambda root: (
            write("PROJECT/.env.example", "UNREAD=\n")(root),
            path := root / rules.PROJECT / "app" / "environment.py",
            path.write_text(path.read_text().replace("    host: str", "    unread: str\n    host: str")),
        )[0],
        "never reads UNREAD",
    ),
]


@pytest.mark.parametrize(("rule", "plant", "message"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_catches_a_violation(rule: Rule, plant: Callable[[Path], None], message: str, copy: Path) -> None:
    plant(copy)
    assert any(message in violation for violation in rule(copy)), list(rule(copy))


def test_every_rule_was_seen_to_fail() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(rules.RULES)
