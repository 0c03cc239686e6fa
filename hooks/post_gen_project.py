"""Merges the wanted layers into the project and records the answers, so that cruft can update it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import yaml

ANSWERS = json.loads(r"""{{ cookiecutter|tojson }}""")
LAYERS = Path("_layers")


def git(*arguments: str) -> str | None:
    """What git says of the template's repository, or None when it is none."""
    folder = ANSWERS.get("_repo_dir") or ANSWERS["_template"]
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def record() -> None:
    """Write the file that `cruft update` reads: https://cruft.github.io/cruft/"""
    # The hook runs in the new project, so a relative folder counts from where the user stood; `gh:` is spelled out.
    local = Path(os.environ.get("PWD", "."), ANSWERS["_template"])
    template = str(local.resolve()) if local.is_dir() else git("remote", "get-url", "origin") or ANSWERS["_template"]
    answers = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    state = {
        "template": template,
        "commit": git("rev-parse", "HEAD"),
        "checkout": ANSWERS.get("_checkout"),
        "context": {"cookiecutter": answers | {"_template": template}},
        "directory": None,
    }
    Path(".cruft.json").write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


for name, wanted in yaml.safe_load((LAYERS / "layers.yml").read_text(encoding="utf-8")).items():
    if wanted:
        shutil.copytree(LAYERS / name, ".", dirs_exist_ok=True)
shutil.rmtree(LAYERS)
record()
print(f"\nYour project is ready. Next:\n\n  cd {ANSWERS['project_slug']}\n  make run\n  make test\n")
