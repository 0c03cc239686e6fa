import os
import subprocess
from collections.abc import Iterator

import pytest

from app.environment import BASE_DIR, environment


@pytest.fixture(scope="session", autouse=True)
def worker(django_db_setup: None) -> Iterator[subprocess.Popen[bytes] | None]:
    """A worker beside the tests; without a broker, jobs are run by the tests' process."""
    if environment.broker_url is None:
        yield None
        return
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"}
    with subprocess.Popen([BASE_DIR / "entrypoint", "worker"], env=env) as process:  # noqa: S603
        yield process
        process.terminate()
        assert process.wait(30) == 0
