import os
import subprocess
import sys

import pytest

from app.environment import BASE_DIR, Environment

HIDDEN = "hidden/from@every1"


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """What a process says that starts with nothing but these variables."""
    return subprocess.run(
        [sys.executable, "-m", "app.environment"],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/data/db.sqlite3",
        "postgresql://ada:secret@db.example.com:5432/service",
        "postgresql://ada:s%40cret%2F@db.example.com/service?sslmode=require",
        "postgresql://ada@[::1]:5432/service",
    ],
)
def test_a_database_url_that_is_understood(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert Environment().database_url == url


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        f"postgres://ada:{HIDDEN}@db.example.com/service",
        f"postgresql+psycopg://ada:{HIDDEN}@db.example.com/service",
        f"mysql://ada:{HIDDEN}@db.example.com/service",
        f"postgresql://ada:{HIDDEN}@db.example.com:5432/service",
        f"postgresql://ada:{HIDDEN}",
        "postgresql://ada:hidden@db.example.com",
        "postgresql://ada:hidden@db.example.com:http/service",
        "postgresql:///service",
        "hidden",
    ],
)
def test_a_database_url_that_is_refused_and_not_shown(url: str) -> None:
    started = start(DATABASE_URL=url)
    assert started.returncode == 1
    assert "DATABASE_URL: must be sqlite:///<path> or postgresql://<user>:" in started.stderr
    assert "hidden" not in started.stderr
    assert "Traceback" not in started.stderr


def test_production_names_everything_that_is_missing() -> None:
    started = start(ENVIRONMENT="production")
    assert started.returncode == 1
    assert all(f"{name}: must be set" in started.stderr for name in ("SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"))


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a wrong environment nor by a right one."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:hidden@db.example.com/service")
    monkeypatch.setenv("SECRET_KEY", "hidden")
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", "hidden,hidden too")
    assert "hidden" not in repr(Environment())
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ValueError, match="must be a random string") as refused:
        Environment()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(("processes", "connections"), [("1", 20), ("2", 10), ("4", 5), ("64", 5)])
def test_processes_share_the_connections(monkeypatch: pytest.MonkeyPatch, processes: str, connections: int) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", processes)
    assert Environment().database_pool_size == connections
