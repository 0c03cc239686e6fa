"""The rules that keep the template's shape. Each yields one line for every violation below a repository's root."""

import ast
import functools
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, Template

PROJECT = "{{cookiecutter.project_slug}}"
# These collect one line from many options; everywhere else a choice is a file.
MAY_BRANCH = re.compile(
    r"pyproject\.toml|compose\.yaml|\.env\.example|README\.md|AGENTS\.md|Makefile|kustomization\.yaml|index\.html"
    r"|workflows/[^/]+\.yml"
)
PINNED_ACTION = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v[\d.]+")
LONGEST_FILE = 200
LONGEST_HOOKS = 250
# What cookiecutter brings, and questionary where it is installed.
HOOKS_MAY_IMPORT = {"click", "cookiecutter", "jinja2", "prompt_toolkit", "questionary", "rich", "yaml"}
LOCKS = {"uv.lock", "poetry.lock", "package-lock.json", "pnpm-lock.yaml", ".terraform.lock.hcl"}


def files(folder: Path) -> list[Path]:
    """Every file below a folder that is no trace of running something."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def questions(root: Path) -> dict[str, Any]:
    """The public questions of cookiecutter.json: a default text, or a list of choices."""
    context = json.loads((root / "cookiecutter.json").read_text())
    return {key: value for key, value in context.items() if not key.startswith("_")}


def choices(root: Path) -> dict[str, list[str]]:
    return {key: value for key, value in questions(root).items() if isinstance(value, list)}


def all_answers(root: Path) -> list[dict[str, str]]:
    """Every combination of choices."""
    asked = choices(root)
    return [dict(zip(asked, values, strict=True)) for values in itertools.product(*asked.values())]


def wanted_layers(root: Path, answers: dict[str, str]) -> dict[str, bool]:
    """layers.yml as the hook reads it for these answers."""
    # There are hundreds of combinations.
    layers: dict[str, bool] = yaml.load(_layers(root).render(cookiecutter=answers), yaml.CSafeLoader)
    return layers


@functools.cache
def _layers(root: Path) -> Template:
    return Environment(autoescape=False).from_string((root / PROJECT / "_layers" / "layers.yml").read_text())


@functools.cache
def layer_names(root: Path) -> list[str]:
    """The longest first, so that a layer comes before one that its name begins with."""
    return sorted(wanted_layers(root, all_answers(root)[0]), key=len, reverse=True)


def module_tree(path: Path) -> ast.Module | None:
    try:
        return ast.parse(path.read_text())
    except SyntaxError:
        return None


def imports(path: Path) -> set[str]:
    """The modules that a Python file imports, by their full names."""
    found: set[str] = set()
    tree = module_tree(path)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def inner(root: Path, path: Path) -> str:
    """A file's final path inside a generated project, without its layer."""
    relative = path.relative_to(root / PROJECT).as_posix()
    for layer in layer_names(root):
        if relative.startswith(f"_layers/{layer}/"):
            return relative.removeprefix(f"_layers/{layer}/")
    return relative


def python_holds_no_jinja(root: Path) -> Iterator[str]:
    for path in files(root / PROJECT):
        if path.suffix in {".py", ".sql", ".tf"} and re.search(r"\{%|\{\{|\{#", path.read_text()):
            yield f"{path.relative_to(root)} holds Jinja"


def a_choice_is_a_file(root: Path) -> Iterator[str]:
    for path in files(root / PROJECT):
        if path.suffix in {".png", ".ico", ".woff2"} or MAY_BRANCH.search(path.name + " " + path.as_posix()):
            continue
        if "{%" in path.read_text():
            yield f"{path.relative_to(root)} branches on an answer"


def sources_are_python(root: Path) -> Iterator[str]:
    for path in files(root / PROJECT):
        if path.suffix == ".py" and module_tree(path) is None:
            yield f"{path.relative_to(root)} does not parse unrendered"


def the_package_is_app(root: Path) -> Iterator[str]:
    places = {"app", "bench", "tests", "migrations", "manage.py"}
    for path in files(root / PROJECT):
        if path.suffix == ".py" and inner(root, path).split("/")[0] not in places:
            yield f"{path.relative_to(root)} is outside of app, bench, tests and migrations"


def layers_and_folders_agree(root: Path) -> Iterator[str]:
    layers = set(wanted_layers(root, all_answers(root)[0]))
    folder = root / PROJECT / "_layers"
    for layer in layers:
        if not files(folder / layer):
            yield f"layers.yml names {layer}, which holds no file"
    for path in files(folder):
        relative = path.relative_to(folder).as_posix()
        owners = [layer for layer in layers if relative.startswith(layer + "/")]
        if relative != "layers.yml" and len(owners) != 1:
            yield f"_layers/{relative} belongs to {len(owners)} layers"


def layers_never_overlap(root: Path) -> Iterator[str]:
    folder = root / PROJECT / "_layers"
    common = {
        path.relative_to(root / PROJECT).as_posix() for path in files(root / PROJECT) if folder not in path.parents
    }
    layers = {
        layer: [path.relative_to(folder / layer).as_posix() for path in files(folder / layer)]
        for layer in layer_names(root)
    }
    seen: set[str] = set()
    for answers in all_answers(root):
        taken = dict.fromkeys(common, "every project")
        for layer, wanted in wanted_layers(root, answers).items():
            for target in layers[layer] if wanted else ():
                if target in taken:
                    seen.add(f"{target} stands in {layer} and in {taken[target]}")
                taken[target] = layer
    yield from sorted(seen)


def every_layer_is_a_choice(root: Path) -> Iterator[str]:
    rendered = [wanted_layers(root, answers) for answers in all_answers(root)]
    for layer in rendered[0]:
        if {True, False} != {layers[layer] for layers in rendered}:
            yield f"layer {layer} is wanted by all answers or by none"


def every_choice_is_labelled(root: Path) -> Iterator[str]:
    labels = json.loads((root / "cookiecutter.json").read_text())["__prompts__"]
    for question in questions(root):
        if question not in labels:
            yield f"{question} has no label"
    for question, values in choices(root).items():
        for value in values:
            if value not in labels.get(question, {}):
                yield f"{question}={value} has no label"


def every_choice_is_used(root: Path) -> Iterator[str]:
    texts = [path.read_text() for path in files(root / PROJECT) if path.suffix not in {".png", ".ico"}]
    for question, values in choices(root).items():
        used = set(re.findall(rf"cookiecutter\.{question}\b[^%}}\n]*", "\n".join(texts)))
        for value in values:
            if value != "none" and not any(f'"{value}"' in use or f"'{value}'" in use for use in used):
                yield f"{question}={value} changes nothing"


def concern_files_know_no_domain(root: Path) -> Iterator[str]:
    """app/*.py serve the domains; only the files that wire the application together know them."""
    wiring = {"app/main.py", "app/urls.py", "app/settings.py", "app/api.py"}
    for path in files(root / PROJECT):
        place = inner(root, path)
        if not place.startswith("app/") or path.suffix != ".py":
            continue
        domain = re.match(r"app/(users|items|jobs)/", place)
        for module in imports(path):
            target = re.match(r"app\.(users|items|jobs)(\.api\b)?", module)
            if target and not domain and place not in wiring:
                yield f"{place} imports {module}"
            if target and domain and target[2] and target[1] != domain[1]:
                yield f"{place} imports another domain's routes: {module}"


def files_stay_short(root: Path) -> Iterator[str]:
    for path in files(root / PROJECT):
        if (
            path.suffix == ".py"
            and len(path.read_text().splitlines()) > LONGEST_FILE
            and "/tests/" not in path.as_posix()
        ):
            yield f"{path.relative_to(root)} is longer than {LONGEST_FILE} lines"


def hooks_stay_short_and_plain(root: Path) -> Iterator[str]:
    hooks = sorted((root / "hooks").glob("*.py"))
    if sum(len(path.read_text().splitlines()) for path in hooks) >= LONGEST_HOOKS:
        yield f"the hooks have {LONGEST_HOOKS} lines or more"
    for path in hooks:
        for module in imports(path):
            top = module.split(".")[0]
            if top not in HOOKS_MAY_IMPORT and top not in sys.stdlib_module_names:
                yield f"{path.name} imports {module}"


def actions_are_pinned(root: Path) -> Iterator[str]:
    for path in files(root / PROJECT) + files(root / ".github"):
        if ".github/workflows/" not in path.as_posix():
            continue
        for line in path.read_text().splitlines():
            if "uses:" in line and not PINNED_ACTION.search(line):
                yield f"{path.relative_to(root)}: {line.strip()}"
        if "permissions:" not in path.read_text():
            yield f"{path.relative_to(root)} names no permissions"


def nothing_holds_download_addresses(root: Path) -> Iterator[str]:
    for path in files(root):
        if path.name in LOCKS and not {".venv", ".git"} & set(path.parts):
            yield f"{path.relative_to(root)} is a lock file"


def settings_are_documented_and_used(root: Path) -> Iterator[str]:
    project = root / PROJECT
    tree = ast.parse((project / "app" / "environment.py").read_text())
    settings = {
        node.target.id
        for statement in tree.body
        if isinstance(statement, ast.ClassDef)
        for node in statement.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    documented = {name.lower() for name in re.findall(r"^([A-Z_]+)=", (project / ".env.example").read_text(), re.M)}
    for name in sorted(settings ^ documented):
        yield f"{name} stands in only one of app/environment.py and .env.example"
    # Some are read where the process starts, which is no Python.
    for framework in choices(root)["framework"]:
        possible = [wanted_layers(root, answers) for answers in all_answers(root) if answers["framework"] == framework]
        layers = [project / "_layers" / layer for layer in layer_names(root) if any(one[layer] for one in possible)]
        read = [path for folder in (project / "app", *layers) for path in files(folder) if path.suffix in {".py", ""}]
        text = "\n".join(path.read_text() for path in read)
        for name in sorted(settings):
            if f"environment.{name}" not in text and f"self.{name}" not in text and name.upper() not in text:
                yield f"{framework} never reads {name.upper()}"


RULES = (
    python_holds_no_jinja,
    a_choice_is_a_file,
    sources_are_python,
    the_package_is_app,
    layers_and_folders_agree,
    layers_never_overlap,
    every_layer_is_a_choice,
    every_choice_is_labelled,
    every_choice_is_used,
    concern_files_know_no_domain,
    files_stay_short,
    hooks_stay_short_and_plain,
    actions_are_pinned,
    nothing_holds_download_addresses,
    settings_are_documented_and_used,
)
