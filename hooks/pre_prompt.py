"""Asks the questions with arrow keys, and says why an answer cannot work while it is typed.

cookiecutter runs this before it asks, in a throw-away copy of the template. Only when a person started a plain
`cookiecutter TEMPLATE` on a terminal are the questions asked here; the answers then take their place in the copy's
cookiecutter.json: https://cookiecutter.readthedocs.io/en/stable/advanced/hooks.html
"""

import sys
from pathlib import Path

Path("throw-away").touch()  # tells the next hook that this copy of the template may be changed
if not (sys.stdin.isatty() and sys.stdout.isatty()):
    sys.exit()  # before the imports, which take longer than the rest

import json
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable
from functools import partial

from cookiecutter.cli import main as cookiecutter_command
from cookiecutter.config import get_user_config
from cookiecutter.generate import generate_context
from cookiecutter.prompt import read_user_choice, read_user_variable, render_variable
from cookiecutter.utils import create_env_with_context
from jinja2 import Environment, meta
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

try:
    import questionary
    from prompt_toolkit.application import get_app
    from prompt_toolkit.layout import FormattedTextControl, Window

    LOOK = {"style": questionary.Style([("qmark", "ansicyan"), ("pointer", "ansicyan")]), "erase_when_done": True}
except ImportError:
    questionary = None

ARROW_KEYS = questionary is not None and os.environ.get("TERM") != "dumb"
CONTEXT = Path("cookiecutter.json")
ANSWERED_ELSEWHERE = {"no_input", "replay", "replay_file", "config_file", "default_config", "extra_context"}
INTRO = "\n  A new project. Arrow keys choose, Enter accepts, Ctrl-C writes nothing.\n"
CONFIRM = {"yes": "Yes", "again": "Start over: your answers are offered again", "no": "Cancel: nothing is written"}
console = Console(highlight=False)


def asked_by_a_person() -> bool:
    """Whether cookiecutter was started with no option that answers questions."""
    parent = str(os.getppid())
    try:
        if Path("/proc/self").exists():
            words = Path("/proc", parent, "cmdline").read_text(errors="replace").split("\0")[1:-1]
        else:  # macOS, where a path with a space looks like two words, and so like an answer
            words = subprocess.check_output(["ps", "-ww", "-o", "args=", "-p", parent], text=True).split()[1:]
    except (OSError, subprocess.SubprocessError):
        return False
    program, *arguments = words[1:] if words[:1] == ["-m"] else words or [""]
    options = cookiecutter_command.make_context(program, arguments, resilient_parsing=True).params
    plain = options["template"] and not any(options[name] for name in ANSWERED_ELSEWHERE)
    config = Path(os.environ.get("COOKIECUTTER_CONFIG", "/"))  # a relative one counts from where the person stands
    return bool(plain and config.is_absolute() and Path(program).name == "cookiecutter")


def write(label: str, refusal: Callable[[str], str], default: str) -> str:
    """Ask for a text that nothing refuses."""
    if not ARROW_KEYS:
        while reason := refusal(answer := read_user_variable(label, default).strip()):
            console.print(f"  {reason}", style="red", markup=False)
        return answer

    def why_not() -> str:
        return refusal(get_app().current_buffer.text.strip() or default)

    def below() -> list[tuple[str, str]]:
        style, text = ("ansired", why_not()) if why_not() else ("ansibrightblack", explanation)
        return [(style, textwrap.indent(textwrap.fill(text, console.width - 4), "  "))]

    name, _, explanation = label.partition(": ")
    look = LOOK | {"placeholder": [("ansibrightblack", default)], "validate_while_typing": False}
    question = questionary.text(name, validate=lambda _: not why_not() or "", **look)
    layout = question.application.layout
    layout.current_window.dont_extend_height = lambda: True
    layout.container.children[1:] = [Window(FormattedTextControl(below))]  # in place of the one-line toolbars
    return question.unsafe_ask().strip() or default


def choose(label: str, options: dict[str, str], default: str) -> str:
    """Ask for one of several values, given with their labels."""
    if not ARROW_KEYS:
        return read_user_choice(label, sorted(options, key=default.__ne__), {label: options | {"__prompt__": label}})
    titles = {value: text.partition(": ") for value, text in options.items()}
    width = max(len(name) for name, _, _ in titles.values())
    choices = [
        questionary.Choice([("", name.ljust(width)), ("ansibrightblack", f"   {explanation}")], value)
        for value, (name, _, explanation) in titles.items()
    ]
    return questionary.select(label, choices, default, instruction=" ", pointer="▸", **LOOK).unsafe_ask()


class Questions:
    """What cookiecutter.json asks, with a person's own defaults, and what its rules say about the answers."""

    def __init__(self) -> None:
        self.context = generate_context(default_context=get_user_config()["default_context"])["cookiecutter"]
        self.asked = {key: raw for key, raw in self.context.items() if not key.startswith("_")}
        self.options = {key: text for key, text in self.context["__prompts__"].items() if isinstance(text, dict)}
        self.labels = self.context["__prompts__"] | {key: text["__prompt__"] for key, text in self.options.items()}
        self.templates = create_env_with_context({"cookiecutter": self.context})
        self.expressions = Environment()
        self.expressions.tests["matching"] = lambda value, pattern: re.fullmatch(pattern, value) is not None

    def holds(self, expression: str, answers: dict[str, str]) -> bool:
        return bool(self.expressions.compile_expression(expression)(**self.context | answers))

    def refusal(self, key: str, answers: dict[str, str], value: str) -> str:
        """Why a value cannot be the answer to one question after the earlier answers, or nothing."""
        unanswered = self.asked.keys() - answers.keys() - {key}
        for rule in self.context["_rules"]:
            names = meta.find_undeclared_variables(self.expressions.parse("{{" + rule["refuse"] + "}}"))
            if key in names and not names & unanswered and self.holds(rule["refuse"], answers | {key: value}):
                return rule["because"]
        return ""

    def ask(self, earlier: dict[str, str]) -> dict[str, str]:
        """Every answer; an earlier round's are offered again, unless they follow from others."""
        answers: dict[str, str] = {}
        width = max(len(label.partition(": ")[0]) for label in self.labels.values())
        for key, raw in self.asked.items():
            refusal = partial(self.refusal, key, answers.copy())
            if isinstance(raw, list):
                options = {value: self.options[key][value] for value in raw if not refusal(value)}
                default = earlier[key] if earlier.get(key) in options else next(iter(options))
                ask = partial(choose, self.labels[key], options)
            else:
                options, follows = {}, key not in earlier or "{{" in str(raw)
                default = str(render_variable(self.templates, raw, answers)) if follows else earlier[key]
                ask = partial(write, self.labels[key], refusal)
            wanted = self.holds(self.context["_ask_if"].get(key, "true"), answers)
            answers[key] = ask(default) if wanted else default
            if wanted and ARROW_KEYS:
                line = Table.grid(Column(width=width + 2, style="bright_black"), padding=(0, 3))
                shown = options[answers[key]].partition(": ")[0] if options else answers[key]
                line.add_row("  " + self.labels[key].partition(": ")[0], Text(shown))
                console.print(line)
        return answers


if asked_by_a_person():
    try:
        questions, answers, verdict = Questions(), {}, "again"
        while verdict == "again":
            console.print(INTRO, style="bright_black")
            answers = questions.ask(answers)
            console.print()
            verdict = choose("Make this project?", CONFIRM, "yes")
        if verdict == "no":
            raise KeyboardInterrupt
    except (KeyboardInterrupt, EOFError):
        if Path.cwd().parent.parent == Path(tempfile.gettempdir()).resolve():
            shutil.rmtree(Path.cwd().parent)
        sys.exit("\n  Cancelled. Nothing was written.\n")
    rest = {key: raw for key, raw in json.loads(CONTEXT.read_text(encoding="utf-8")).items() if key not in answers}
    # cookiecutter renders a private text before it would ask: this one puts the answers where it would have put them.
    given = {"_answers": answers, "__answers": "{{ cookiecutter.update(cookiecutter._answers) or '' }}"}
    CONTEXT.write_text(json.dumps(given | rest), encoding="utf-8")
