"""Refuses answers that cannot work: every reason at once, before a file is written.

The folder is made before: for a slug such as `../x`, `__safe_slug` in cookiecutter.json puts one that is refused here.
"""

import json
import re
import sys
from pathlib import Path

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
