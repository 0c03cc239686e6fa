"""Schemathesis makes up requests from the OpenAPI document and checks that the answers are as documented."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.client import Account, client_address
from tests.serving import Server

OPTIONS = (
    "--checks=all",
    # JSON Schema cannot say everything that makes an e-mail address or a title valid.
    "--exclude-checks=positive_data_acceptance",
    "--seed=1",
    "--no-color",
)


@pytest.mark.variants("embedded", "one real")
@pytest.mark.parametrize("logged_in", [True, False], ids=["logged in", "anonymous"])
def test_answers_are_as_documented(server: Server, alice: Account, tmp_path: Path, logged_in: bool) -> None:
    headers = {"X-Forwarded-For": client_address()} | (alice.headers if logged_in else {})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.base_url}/api/v1/openapi.json"),
            *(*OPTIONS, *(("--max-examples=20",) if logged_in else ("--phases=coverage",))),
            *(f"--header={name}: {value}" for name, value in headers.items()),
        ],
        cwd=tmp_path,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
