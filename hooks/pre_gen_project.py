"""Refuses answers that cannot work: every reason at once, before a file is written."""

import json
import os
import re
import sys

from jinja2 import Environment

ANSWERS = json.loads(r"""{{ cookiecutter|tojson }}""")

environment = Environment()
environment.tests["matching"] = lambda value, pattern: re.fullmatch(pattern, value) is not None
reasons = [rule["because"] for rule in ANSWERS["_rules"] if environment.compile_expression(rule["refuse"])(**ANSWERS)]
if set(os.listdir()) - {".git"}:
    reasons.append(f"the folder {ANSWERS['project_slug']} is not empty: choose another project_slug or move its files.")
if reasons:
    sys.exit("\nThese answers cannot make a project:\n" + "".join(f"  - {reason}\n" for reason in reasons))
