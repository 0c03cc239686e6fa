"""Every pair of answers, generated: deterministic, complete, well-formed and clean."""

import hashlib
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest
import yaml
from allpairspy import AllPairs

from tests import template_rules as rules
from tests.baking import ROOT, BakedProject, bake, fresh_environment, template

_CHOICES = rules.choices(ROOT)
VARIANTS = [dict(zip(_CHOICES, values, strict=True)) for values in AllPairs(list(_CHOICES.values()))]
# An answer whose text needs escaping somewhere, so that each variant meets it.
NAMES = {
    "project_name": 'Zoë\'s "Tea" & <Co>: 100% {ready} 🚀',
    "project_slug": "tea",
    "description": "Tea \\ time: it's #1.",
    "author_name": "Conan O'Brien",
}


def name(answers: dict[str, str]) -> str:
    return "-".join(answers.values())


@pytest.fixture(params=VARIANTS, ids=name, scope="module")
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(request.param)


@pytest.fixture(scope="module")
def project(answers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    return bake(tmp_path_factory.getbasetemp() / "variants", **answers, **NAMES)


@pytest.fixture(scope="session")
def checked() -> dict[str, str]:
    """The Python sources that the linters have seen, by their hash: most variants hold the same."""
    return {}


def contents(project: BakedProject) -> dict[str, bytes]:
    return {
        path.relative_to(project.path).as_posix(): path.read_bytes()
        for path in project.path.rglob("*")
        if path.is_file() and not {".venv", ".mypy_cache", ".ruff_cache", "uv.lock"} & set(path.parts)
    }


def test_the_variants_cover_every_pair() -> None:
    pairs = {
        ((left, a), (right, b))
        for left in _CHOICES
        for right in _CHOICES
        if left < right
        for a in _CHOICES[left]
        for b in _CHOICES[right]
    }
    seen = {pair for pair in pairs if any(all(variant[key] == value for key, value in pair) for variant in VARIANTS)}
    assert seen == pairs


def test_the_same_answers_give_the_same_bytes(project: BakedProject, answers: dict[str, str], tmp_path: Path) -> None:
    assert contents(project) == contents(bake(tmp_path, **answers, **NAMES))


def test_no_template_syntax_is_left(project: BakedProject) -> None:
    for path, content in contents(project).items():
        text = content.replace(b"${{", b"")
        assert b"{%" not in text, path
        assert b"{{" not in text, path
        assert b"cookiecutter." not in text or path.endswith(("README.md", ".cruft.json")), path


def test_every_file_parses(project: BakedProject) -> None:
    for path, content in contents(project).items():
        match Path(path).suffix:
            case ".toml":
                tomllib.loads(content.decode())
            case ".yaml" | ".yml":
                list(yaml.safe_load_all(content))
            case ".json":
                json.loads(content)
            case ".py":
                compile(content, path, "exec")
        assert content == b"" or content.endswith(b"\n"), f"{path} ends without a newline"
        assert b"\r" not in content, path


def test_no_file_is_left_over(project: BakedProject) -> None:
    paths = contents(project)
    assert not [path for path in paths if "_layers" in path or "__pycache__" in path or path.endswith(".pyc")]
    assert {"README.md", "LICENSE", "Makefile", "pyproject.toml", ".cruft.json", "entrypoint"} <= paths.keys()
    assert (project.path / "entrypoint").stat().st_mode & 0o111


def test_answers_arrive_unharmed(project: BakedProject, answers: dict[str, str]) -> None:
    pyproject = tomllib.loads(project.read("pyproject.toml"))
    assert pyproject["project"]["name"] == NAMES["project_slug"]
    assert pyproject["project"]["description"] == NAMES["description"]
    assert pyproject["project"]["authors"][0]["name"] == NAMES["author_name"]
    assert pyproject["tool"]["app"]["title"] == NAMES["project_name"]
    page = project.read("app/static/index.html")
    assert "<h1>Zoë&#39;s &#34;Tea&#34; &amp; &lt;Co&gt;: 100% {ready} 🚀</h1>" in page
    assert NAMES["author_name"] in project.read("LICENSE") or answers["license"] == "GPL-3.0-or-later"


def test_only_chosen_files_are_there(project: BakedProject, answers: dict[str, str]) -> None:
    paths = contents(project)
    assert (".github/workflows/ci.yml" in paths) == (answers["ci"] == "github")
    assert ("manage.py" in paths) == (answers["framework"] == "django")
    others = {"django", "flask", "fastapi"} - {answers["framework"]}
    dependencies = " ".join(tomllib.loads(project.read("pyproject.toml"))["project"]["dependencies"]).lower()
    sources = b"\n".join(content for path, content in paths.items() if path.endswith(".py")).decode().lower()
    for other in others:
        assert f'"{other}~=' not in dependencies
        assert f"import {other}" not in sources
        assert f"from {other} " not in sources


# They are the same in every project: what they name is empty where it was not chosen.
GENERAL = {"app/environment.py", "tests/__init__.py", "tests/services.py", "tests/test_environment.py"}


def code(path: str, content: bytes) -> str:
    """A file in lower case, a Python file without its comments and docstrings: they may compare with something else."""
    if not path.endswith(".py"):
        return content.decode(errors="replace").lower()
    tokens = tokenize.tokenize(io.BytesIO(content).readline)
    kept = (token.string for token in tokens if token.type != tokenize.COMMENT and token.string[:3] != '"""')
    return " ".join(kept).lower()


def test_no_file_speaks_of_a_server_that_was_not_chosen(project: BakedProject, answers: dict[str, str]) -> None:
    chosen = {
        "redis": answers["cache"] == "redis" or answers["queue"] == "celery-redis",
        "memcached": answers["cache"] == "memcached",
        "celery": answers["queue"] != "none",
        "rabbitmq": answers["queue"] == "celery-rabbitmq",
        "amqp": answers["queue"] == "celery-rabbitmq",
        "broker": answers["queue"] != "none",
        "replica": answers["database"] == "postgres-replicas",
    }
    texts = {path: code(path, content) for path, content in contents(project).items()}
    texts["pyproject.toml"] = re.sub(r"^\w+ = \[\]$", "", texts["pyproject.toml"], flags=re.MULTILINE)
    for word, wanted in chosen.items():
        found = {path for path, text in texts.items() if word in text} - {*GENERAL, ".cruft.json", "LICENSE"}
        assert bool(found) == wanted, f"{word}: {found}"


# What no source imports: pydantic's EmailStr, Django's password hasher, SQLAlchemy's drivers and tools look for them.
LOADED_BY_NAME = {"argon2-cffi": "Argon2", "email-validator": "EmailStr", "aiosqlite": "sqlite+aiosqlite"}
MODULES = {
    "argon2-cffi": "argon2",
    "django-ninja": "ninja",
    "fastapi-swagger": "fastapi_swagger",
    "flask-swagger-ui": "flask_swagger_ui",
    "pyjwt": "jwt",
    "uuid-utils": "uuid_utils",
}


def test_every_dependency_is_used(project: BakedProject) -> None:
    requirements = tomllib.loads(project.read("pyproject.toml"))["project"]["dependencies"]
    text = "\n".join(content.decode() for path, content in contents(project).items() if path.endswith(".py"))
    for requirement in requirements:
        name = re.split(r"[\[~=<>]", requirement)[0]
        module = MODULES.get(name, name.replace("-", "_"))
        imported = re.search(rf"^\s*(import|from) {module}\b|\"{module}[.\"]", text, re.MULTILINE)
        assert imported or LOADED_BY_NAME.get(name, "\0") in text, f"{name} is used by nothing"


def test_generation_asks_no_network(answers: dict[str, str], tmp_path: Path) -> None:
    """Every Python process of a generation would fail if it opened a connection."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def watch(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        "        raise RuntimeError(f'network: {event} {arguments}')\n"
        "sys.addaudithook(watch)\n"
    )
    environment = fresh_environment(PYTHONPATH=str(tmp_path))
    connect = [sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 9))"]
    assert b"network: socket." in subprocess.run(connect, env=environment, capture_output=True, check=False).stderr
    given = [f"{key}={value}" for key, value in answers.items()]
    made = subprocess.run(
        ["cookiecutter", str(template()), "--no-input", "--output-dir", str(tmp_path), *given],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr.decode()
    assert (tmp_path / "my-service" / "entrypoint").is_file()


def test_it_is_born_clean(project: BakedProject, checked: dict[str, str]) -> None:
    pyproject = tomllib.loads(project.read("pyproject.toml"))
    seen = [pyproject["tool"], pyproject["dependency-groups"], pyproject["project"]["dependencies"]]
    sources = [content for path, content in sorted(contents(project).items()) if path.endswith(".py")]
    key = hashlib.sha256(json.dumps(seen).encode() + b"".join(sources)).hexdigest()
    if key not in checked:
        checked[key] = project.run("make", "lint").stdout
    assert "Success: no issues found" in checked[key]
