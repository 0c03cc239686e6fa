"""Merges the wanted layers into the project and records the answers, so that cruft can update it."""

import json
import shutil
import subprocess
from pathlib import Path

import yaml

ANSWERS = json.loads(r"""{{ cookiecutter|tojson }}""")
LAYERS = Path("_layers")


def merge(layer: Path) -> None:
    """Move every file of a layer to its final place."""
    for source in sorted(path for path in layer.rglob("*") if path.is_file()):
        target = Path(source.relative_to(layer))
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)


def commit(template: str) -> str | None:
    """The commit of the template, or None when its folder is not a Git repository."""
    found = subprocess.run(["git", "-C", template, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def record() -> None:
    """Write the file that `cruft update` reads: https://cruft.github.io/cruft/"""
    template = ANSWERS.get("_template", "")
    answers = {key: value for key, value in ANSWERS.items() if not key.startswith("_")}
    state = {
        "template": template,
        "commit": commit(ANSWERS.get("_repo_dir") or template),
        "checkout": ANSWERS.get("_checkout"),
        "context": {"cookiecutter": answers | {"_template": template}},
        "directory": None,
    }
    Path(".cruft.json").write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


for name, wanted in yaml.safe_load((LAYERS / "layers.yml").read_text(encoding="utf-8")).items():
    if wanted:
        merge(LAYERS / name)
shutil.rmtree(LAYERS)
record()
print(f"\nYour project is ready. Next:\n\n  cd {ANSWERS['project_slug']}\n  make run\n  make test\n")
