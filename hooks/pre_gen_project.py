"""Refuses answers that cannot work: every reason at once, before a file is written."""

import json
import re
import shutil
import sys
from pathlib import Path

import yaml
from jinja2 import Environment

ANSWERS = json.loads(r"""{{ cookiecutter|tojson }}""")
GIVEN = json.loads(r"""{{ _cookiecutter|default({})|tojson }}""")

environment = Environment()
environment.tests["matching"] = lambda value, pattern: re.fullmatch(pattern, str(value)) is not None
reasons = [rule["because"] for rule in ANSWERS["_rules"] if environment.compile_expression(rule["refuse"])(**ANSWERS)]
# cookiecutter renders the texts that it is given by key=value: an answer is a text, never a template.
reasons += [
    f"{key} must be a text, not a template."
    for key, value in GIVEN.items()
    if isinstance(value, str) and key != "project_slug" and re.search("[{][%#{]", value)
]
if {path.name for path in Path().iterdir()} - {".git"}:
    reasons.append(f"the folder {ANSWERS['project_slug']} is not empty: choose another project_slug or move its files.")
if reasons:
    sys.exit("\nThese answers cannot make a project:\n" + "".join(f"  - {reason}\n" for reason in reasons))

# Rendering what nobody wants would take most of the time. Under cruft there is no throw-away copy to prune.
template = Path(ANSWERS.get("_repo_dir") or "none")
if (template / "throw-away").exists():
    layers = next(template.glob("*/_layers"))
    wishes = environment.from_string((layers / "layers.yml").read_text(encoding="utf-8")).render(cookiecutter=ANSWERS)
    for name in [name for name, wanted in yaml.safe_load(wishes).items() if not wanted]:
        shutil.rmtree(layers / name, ignore_errors=True)
