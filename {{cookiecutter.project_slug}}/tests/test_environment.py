import os
import subprocess
import sys

import pytest

from app.environment import BASE_DIR, SCHEMES, Environment

HIDDEN = "hidden/from@every1"
# The settings that name servers, by whether this project has such a server.
CHOSEN = [name.upper() for name, schemes in SCHEMES.items() if schemes]
OTHERS = [name.upper() for name, schemes in SCHEMES.items() if not schemes]


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


@pytest.mark.parametrize("rest", ["server.example.com/0", "ada:s%40cret%2F@server.example.com:5000/0", "[::1]:5000/0"])
def test_a_server_url_that_is_understood(rest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in CHOSEN:
        for scheme in SCHEMES[setting.lower()]:
            url = f"{scheme}://{rest}"
            monkeypatch.setenv(setting, url)
            assert getattr(Environment(), setting.lower()) in {url, (url,)}


@pytest.mark.parametrize("rest", [f"ada:{HIDDEN}:5000/0", "ada:hidden@:5000/0", "ada:hidden@server:http/0", ":5000"])
def test_a_server_url_that_is_refused_and_not_shown(rest: str) -> None:
    for setting in CHOSEN:
        first = SCHEMES[setting.lower()][0]
        for url in (f"{first}://{rest}", f"unknown-{first}://server.example.com/hidden"):
            started = start(**{setting: url})
            assert started.returncode == 1
            assert f"{setting}: must be {first}://" in started.stderr
            assert "hidden" not in started.stderr
            assert "Traceback" not in started.stderr


def test_the_url_of_a_server_that_the_project_has_not_is_ignored() -> None:
    started = start(**dict.fromkeys(OTHERS, "any://ada:hidden@server.example.com:5000/0"))
    assert started.returncode == 0
    assert started.stderr == "".join(f"{name} is ignored: this project has no such server.\n" for name in OTHERS)


def test_replicas_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ("postgresql://ada@one.example.com/service", "postgresql://ada@two.example.com/service")
    monkeypatch.setenv("DATABASE_REPLICA_URLS", ", ".join(urls))
    assert Environment().database_replica_urls == (urls if "DATABASE_REPLICA_URLS" in CHOSEN else ())


def test_production_names_everything_that_is_missing() -> None:
    started = start(ENVIRONMENT="production")
    assert started.returncode == 1
    needed = {"SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS", *CHOSEN} - {"DATABASE_REPLICA_URLS"}
    assert {line.split()[0] for line in started.stderr.splitlines()[1:]} == {f"{name}:" for name in needed}


def test_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a wrong environment nor by a right one."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:hidden@db.example.com/service")
    for setting in CHOSEN:
        monkeypatch.setenv(setting, f"{SCHEMES[setting.lower()][0]}://ada:hidden@server.example.com:5000/0")
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
