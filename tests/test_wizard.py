"""The wizard, as a person meets it: a real terminal, real keys, the screen they see and the project that they get."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter

from tests.baking import ROOT, template
from tests.template_rules import questions
from tests.terminal import CTRL_C, CTRL_U, DOWN, ENTER, UP, Terminal

COOKIECUTTER = str(Path(sys.executable).with_name("cookiecutter"))
INTRO = "A new project."
FIRST_PLAIN_PROMPT = "[1/"
ADDED = {"tracing": ["none", "jaeger", "zipkin"], "sampling": "0.1"}
ADDED_PROMPTS = {
    "tracing": {"__prompt__": "Tracing", "none": "None", "jaeger": "Jaeger: spans", "zipkin": "Zipkin: spans"},
    "sampling": "Sampling: the share of requests that are traced",
}


class Desk:
    """A folder with a copy of the template, whose wizard is the real one, and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.template = folder, folder / "template"
        shutil.copytree(template(), self.template)
        for name in ("home", "tmp", "out"):
            (folder / name).mkdir()
        self.env = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}

    @staticmethod
    def write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, **changes: object) -> None:
        """Change cookiecutter.json; new questions stand before the private variables."""
        path = self.template / "cookiecutter.json"
        context = json.loads(path.read_text(encoding="utf-8"))
        public = {key: raw for key, raw in (context | changes).items() if not key.startswith("_")}
        self.write(path, json.dumps(public | context | changes))

    def without_questionary(self) -> None:
        self.write(self.folder / "hidden" / "questionary.py", "raise ImportError\n")
        self.env["PYTHONPATH"] = str(self.folder / "hidden")

    def start(self, *arguments: str, command: tuple[str, ...] = (COOKIECUTTER,)) -> Terminal:
        return Terminal(*command, *(arguments or ("template", "-o", "out")), cwd=self.folder, env=self.env)

    def project(self, slug: str = "my-service") -> dict[str, Any]:
        """The generated project's pyproject.toml."""
        return tomllib.loads((self.folder / "out" / slug / "pyproject.toml").read_text(encoding="utf-8"))

    def answers(self, slug: str = "my-service") -> dict[str, str]:
        recorded = json.loads((self.folder / "out" / slug / ".cruft.json").read_text(encoding="utf-8"))
        return {key: answer for key, answer in recorded["context"]["cookiecutter"].items() if not key.startswith("_")}

    def left_behind(self) -> list[Path]:
        return [*(self.folder / "out").iterdir(), *(self.folder / "tmp").iterdir()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def start(desk: Desk) -> Iterator[Callable[..., Terminal]]:
    """Start commands at the desk, and end those that still run."""
    started: list[Terminal] = []

    def starting(*arguments: str, **options: tuple[str, ...]) -> Terminal:
        started.append(desk.start(*arguments, **options))
        return started[-1]

    yield starting
    for terminal in started:
        terminal.child.close(force=True)


def accept(terminal: Terminal, *names: str) -> None:
    """Take what is offered for each question, one after the other."""
    for name in names:
        terminal.see(f"? {name}")
        terminal.type(ENTER)
        terminal.miss(f"? {name}")


TEXTS = ("Name", "Slug", "Description", "Author", "E-mail")
REST = ("Database", "Cache", "Background jobs", "Continuous integration", "Licence")
ALL = (*TEXTS, "Web framework", *REST)


def test_a_whole_session(desk: Desk, start: Callable[..., Terminal]) -> None:
    """Typing, arrow keys up and down, defaults that follow from answers, the summary, and the project."""
    terminal = start()
    terminal.see(INTRO, "? Name", "as people read it")
    terminal.type('Bob\'s "Shop"' + ENTER)
    terminal.see("? Slug", "bobs-shop")
    accept(terminal, "Slug", "Description", "Author", "E-mail")
    terminal.see("? Web framework", "▸ Django")
    terminal.type(DOWN)
    terminal.see("▸ Flask")
    terminal.type(DOWN + DOWN)
    terminal.see("▸ Django")
    terminal.type(UP)
    terminal.see("▸ FastAPI")
    accept(terminal, "Web framework", *REST)
    screen = terminal.see("? Make this project?", "▸ Yes")
    summary = {line[2:24].strip(): line[25:].strip() for line in screen.splitlines() if line.startswith("  ")}
    assert summary["Name"] == 'Bob\'s "Shop"'
    assert summary["Slug"] == "bobs-shop"
    assert summary["Web framework"] == "FastAPI"
    assert summary["Background jobs"] == "Celery on Redis"
    assert (
        len({line.index(summary[name]) for line in screen.splitlines() for name in TEXTS if f"  {name} " in line}) == 1
    )
    terminal.type(ENTER)
    terminal.see("Your project is ready")
    assert terminal.status() == 0
    assert desk.project("bobs-shop")["tool"]["app"]["title"] == 'Bob\'s "Shop"'
    assert desk.answers("bobs-shop")["framework"] == "fastapi"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_wizard_asks_every_question_and_gives_what_no_input_gives(
    desk: Desk, start: Callable[..., Terminal]
) -> None:
    terminal = start()
    accept(terminal, *ALL, "Make this project?")
    assert terminal.status() == 0
    assert desk.answers().keys() == questions(ROOT).keys()
    terminal = start("template", "-o", "again", "--no-input")
    assert terminal.status() == 0
    assert INTRO not in terminal.text
    assert contents(desk.folder / "out") == contents(desk.folder / "again")


REFUSED = [
    ("Slug", "My_Service", "project_slug must be 2 to 30"),
    ("Slug", "django", "name of a package"),
    ("Slug", "postgres", "name of an image"),
    ("Slug", "true", "a word that YAML"),
    ("Slug", "lpt1", "name of a Windows device"),
    ("Name", "{{ cookiecutter }}", "project_name must be one line"),
    ("Description", "d" * 201, "description must be one line"),
    ("Author", "{% raw %}", "author_name must be one line"),
    ("E-mail", 'a"@example.com', "author_email must be an address"),
]


def test_every_rule_is_refused_while_typing_and_cannot_be_submitted(desk: Desk, start: Callable[..., Terminal]) -> None:
    reasons = [rule["because"] for rule in json.loads((ROOT / "cookiecutter.json").read_text())["_rules"]]
    assert all(any(part in reason for _, _, part in REFUSED) for reason in reasons), "a rule without an example"
    terminal = start()
    for name in TEXTS:
        terminal.see(f"? {name}")
        for _, text, reason in (row for row in REFUSED if row[0] == name):
            terminal.type(text)
            terminal.see(reason)
            terminal.type(ENTER + "x")
            terminal.see(f"? {name}", f"{text[-8:]}x")
            terminal.type(CTRL_U)
            terminal.wait(lambda screen, reason=reason: reason not in screen)  # type: ignore[misc]
        accept(terminal, name)
    terminal.see("? Web framework")
    terminal.type(CTRL_C)
    assert terminal.status() == 1


def test_a_question_that_does_not_matter_is_skipped(desk: Desk, start: Callable[..., Terminal]) -> None:
    prompts = json.loads((ROOT / "cookiecutter.json").read_text())["__prompts__"]
    desk.change(**ADDED, __prompts__=prompts | ADDED_PROMPTS, _ask_if={"sampling": "tracing != 'none'"})
    terminal = start()
    accept(terminal, *ALL, "Tracing")
    assert "Sampling" not in terminal.see("? Make this project?")
    terminal.type(DOWN + ENTER)
    terminal.see("? Name")
    accept(terminal, *ALL)
    terminal.see("? Tracing")
    terminal.type(DOWN)
    terminal.see("▸ Jaeger")
    accept(terminal, "Tracing", "Sampling", "Make this project?")
    assert terminal.status() == 0
    assert desk.answers()["sampling"] == "0.1"


def test_a_choice_that_earlier_answers_rule_out_is_not_offered(desk: Desk, start: Callable[..., Terminal]) -> None:
    context = json.loads((ROOT / "cookiecutter.json").read_text())
    rule = {"refuse": "framework == 'django' and tracing in ['none', 'zipkin']", "because": "Django needs Jaeger."}
    desk.change(**ADDED, __prompts__=context["__prompts__"] | ADDED_PROMPTS, _rules=[*context["_rules"], rule])
    terminal = start()
    accept(terminal, *ALL)
    screen = terminal.see("? Tracing", "▸ Jaeger")
    assert "Zipkin" not in screen
    assert "None" not in screen
    accept(terminal, "Tracing", "Sampling", "Make this project?")
    assert terminal.status() == 0
    assert desk.answers()["tracing"] == "jaeger"


def test_start_over_offers_the_answers_again(desk: Desk, start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.see("? Name")
    terminal.type("First Try" + ENTER)
    accept(terminal, "Slug", "Description", "Author", "E-mail")
    terminal.see("? Web framework")
    terminal.type(DOWN)
    terminal.see("▸ Flask")
    accept(terminal, "Web framework", *REST)
    terminal.see("? Make this project?")
    terminal.type(DOWN + ENTER)
    terminal.see("? Name First Try")
    terminal.type("Second Try" + ENTER)
    terminal.see("? Slug second-try")
    accept(terminal, "Slug", "Description", "Author", "E-mail")
    terminal.see("▸ Flask")
    accept(terminal, "Web framework", *REST, "Make this project?")
    assert terminal.status() == 0
    assert desk.answers("second-try")["framework"] == "flask"


@pytest.mark.parametrize(
    ("answered", "keys"),
    [(0, CTRL_C), (5, CTRL_C), (len(ALL), CTRL_C), (len(ALL), UP + ENTER)],
    ids=["first question", "first choice", "summary", "summary, by choice"],
)
def test_leaving_leaves_nothing(desk: Desk, start: Callable[..., Terminal], answered: int, keys: str) -> None:
    terminal = start()
    accept(terminal, *ALL[:answered])
    terminal.see(f"? {[*ALL, 'Make this project?'][answered]}")
    terminal.type(keys)
    assert terminal.status() == 1
    assert "Cancelled. Nothing was written." in terminal.text
    assert "Traceback" not in terminal.text
    assert desk.left_behind() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--checkout", "main", "template"],
        ["-o", "out", "-f", "template"],
        ["template", "-fo", "out", "--directory="],
        ["--output-dir=out", "--keep-project-on-failure", "template", "-v"],
    ],
    ids=" ".join,
)
def test_options_that_answer_nothing_start_the_wizard(start: Callable[..., Terminal], arguments: list[str]) -> None:
    terminal = start(*arguments)
    terminal.see(INTRO, "? Name")
    terminal.type(CTRL_C)
    assert terminal.status() == 1


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "cookiecutter"),
        ("uv", "run", "--no-project", "--offline", "--python", sys.executable, "cookiecutter"),
    ],
    ids=["python -m", "uv run"],
)
def test_the_wizard_starts_however_cookiecutter_is_started(
    desk: Desk, start: Callable[..., Terminal], command: tuple[str, ...]
) -> None:
    desk.env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    terminal = start("template", "-o", "out", command=command)
    terminal.see(INTRO, "? Name")
    terminal.type(CTRL_C)
    assert terminal.status() == 1


@pytest.mark.parametrize("option", [["--config-file", "rc.yml"], ["--default-config"], ["framework=flask"]], ids=str)
def test_options_that_answer_leave_the_questions_to_cookiecutter(
    desk: Desk, start: Callable[..., Terminal], option: list[str]
) -> None:
    desk.write(desk.folder / "rc.yml", f"replay_dir: {desk.folder}/replay\n")
    terminal = start("template", "-o", "out", *option)
    screen = terminal.see(FIRST_PLAIN_PROMPT)
    assert INTRO not in screen
    terminal.type(CTRL_C)
    assert terminal.status() == 1
    assert not list((desk.folder / "out").iterdir())


def test_replaying_asks_nothing(desk: Desk, start: Callable[..., Terminal]) -> None:
    terminal = start()
    terminal.see("? Name")
    terminal.type("Again" + ENTER)
    accept(terminal, *ALL[1:], "Make this project?")
    assert terminal.status() == 0
    saved = desk.folder / "home" / ".cookiecutter_replay" / "template.json"
    for option in (["--replay"], ["--replay-file", str(saved)]):
        terminal = start("template", "-fo", f"out{option[0]}", *option)
        assert terminal.status() == 0
        assert INTRO not in terminal.text
        assert (desk.folder / f"out{option[0]}" / "again" / ".cruft.json").read_bytes() == (
            desk.folder / "out" / "again" / ".cruft.json"
        ).read_bytes()


def test_a_pipe_gets_the_plain_prompts(desk: Desk) -> None:
    done = subprocess.run(
        [COOKIECUTTER, "template", "-o", "out"],
        cwd=desk.folder,
        env=os.environ | desk.env,
        input="Piped\n" + "\n" * len(ALL),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert FIRST_PLAIN_PROMPT in done.stdout
    assert desk.answers("piped")["project_name"] == "Piped"


def test_a_program_gets_what_it_asks_for(desk: Desk, start: Callable[..., Terminal]) -> None:
    program = "from cookiecutter.main import cookiecutter; cookiecutter('template', no_input=True, output_dir='out')"
    terminal = start("-c", program, command=(sys.executable,))
    assert terminal.status() == 0
    assert INTRO not in terminal.text
    config = desk.folder / "rc.yml"
    desk.write(config, f"replay_dir: {desk.folder}/replay\n")
    answers = {"project_name": "By Program", "framework": "flask"}
    cookiecutter(
        str(desk.template),
        no_input=True,
        extra_context=answers,
        output_dir=str(desk.folder / "out"),
        config_file=config,
    )
    assert desk.answers("by-program")["framework"] == "flask"


def test_the_defaults_of_a_person_are_offered(desk: Desk, start: Callable[..., Terminal]) -> None:
    rc = "default_context: {author_name: Ada Lovelace, framework: fastapi, project_name: 2026}\n"
    desk.write(desk.folder / "home" / ".cookiecutterrc", rc)
    terminal = start()
    terminal.see("? Name 2026")
    terminal.type("My Service" + ENTER)
    accept(terminal, *ALL[1:], "Make this project?")
    assert terminal.status() == 0
    assert desk.project()["project"]["authors"][0]["name"] == "Ada Lovelace"
    assert desk.answers()["framework"] == "fastapi"


@pytest.mark.parametrize("reason", ["without questionary", "on a dumb terminal"])
def test_plain_prompts_keep_rules_and_skips(desk: Desk, start: Callable[..., Terminal], reason: str) -> None:
    prompts = json.loads((ROOT / "cookiecutter.json").read_text())["__prompts__"]
    desk.change(**ADDED, __prompts__=prompts | ADDED_PROMPTS, _ask_if={"sampling": "tracing != 'none'"})
    if reason == "without questionary":
        desk.without_questionary()
    else:
        desk.env["TERM"] = "dumb"
    terminal = start()
    for answer, question in [("Django", "(My Service)"), ("", "(django)"), ("my-shop", "name of a package")]:
        terminal.see(question)
        terminal.type(answer + ENTER)
    for question in ("(A web service", "(Your Name)", "(you@example.com)", "Web framework", *REST):
        terminal.see(question)
        terminal.type(ENTER)
    for question in ("Tracing", "Make this project?"):
        terminal.see(question)
        terminal.type(ENTER)
    assert terminal.status() == 0
    assert "Sampling" not in terminal.text
    assert desk.answers("my-shop")["tracing"] == "none"
