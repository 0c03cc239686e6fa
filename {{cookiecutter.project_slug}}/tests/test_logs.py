import json
import os
import subprocess
import sys
from pathlib import Path

from app.environment import BASE_DIR, SCHEMES

PROGRAM = """
from structlog import get_logger
from app import logs

logs.configure()
try:
    password = "correct horse"
    raise ValueError("wrong")
except ValueError:
    get_logger("test").exception("unexpected error")
"""


def test_a_line_in_production_is_json_and_holds_no_local_variables(tmp_path: Path) -> None:
    production = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "k" * 40,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "ALLOWED_HOSTS": "api.example.com",
    }
    production |= {name.upper(): f"{schemes[0]}://server.example.com/0" for name, schemes in SCHEMES.items() if schemes}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM], cwd=BASE_DIR, env=os.environ | production, capture_output=True, check=True
    )
    (line,) = done.stdout.splitlines()
    record = json.loads(line)
    assert (record["event"], record["level"]) == ("unexpected error", "error")
    assert record["exception"][0]["exc_type"] == "ValueError"
    assert b"correct horse" not in line
