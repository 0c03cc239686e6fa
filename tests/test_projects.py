"""A project as its user meets it: cloned, run, tested and opened in a browser; nothing is installed, nothing set."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.baking import ROOT, BakedProject, bake
from tests.services import missing, program
from tests.serving import Server, running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REPORTS = ROOT / "reports"

pytestmark = pytest.mark.parametrize("framework", ["django", "flask", "fastapi"], scope="module")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def link_programs(folder: Path, without: str) -> None:
    """Every program of the PATH but this one."""
    for file in (file for place in os.environ["PATH"].split(os.pathsep) for file in Path(place).glob("*")):
        if file.name != without and not (folder / file.name).exists():
            (folder / file.name).symlink_to(file)


@pytest.fixture(scope="module")
def project(framework: str, tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A clone of the project's first commit."""
    baked = bake(tmp_path_factory.mktemp("baked"), framework=framework)
    git(baked.path, "init", "--quiet", "--initial-branch=main")
    git(baked.path, "add", "--all")
    git(baked.path, "commit", "--quiet", "--message", "First commit")
    clone = tmp_path_factory.mktemp("clone") / "my-service"
    git(baked.path, "clone", "--quiet", str(baked.path), str(clone))
    return BakedProject(clone)


@pytest.fixture(scope="module")
def server(project: BakedProject) -> Iterator[Server]:
    with running(project) as server:
        yield server


def test_its_own_tests_pass_without_servers(project: BakedProject) -> None:
    nothing = {"TEST_DATABASE_URL": "sqlite", "TEST_CACHE_URL": "none", "TEST_BROKER_URL": "none"}
    assert " passed" in project.run("make", "test", env=nothing).stdout


def test_its_own_tests_say_what_they_miss(project: BakedProject, tmp_path: Path) -> None:
    """On a machine with no server's program, they pass all the same."""
    link_programs(tmp_path, without="redis-server")
    env = {"PATH": str(tmp_path), "TEST_DATABASE_URL": "sqlite"}
    output = project.run("make", "test", "ARGS=tests/test_tokens.py", env=env).stdout
    assert "Tested without CACHE_URL. To test with it too: apt-get install redis-server" in output
    assert "Tested without BROKER_URL. To test with it too: apt-get install redis-server" in output


def test_it_is_served_with_nothing_set(server: Server) -> None:
    ready = httpx.get(f"{server.base_url}/health/ready")
    assert ready.json() == {"status": "ok", "parts": {"database": "ok", "cache": "ok"}}


def test_lint_and_commit_hooks_pass(project: BakedProject) -> None:
    project.run("make", "lint")
    project.run("uv", "run", "pre-commit", "run", "--all-files")


ALEMBIC = """\
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    {}
    op.execute("{}ALTER TABLE items DROP COLUMN body")
"""
DJANGO = """\
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("items", "0001_initial")]
    operations = [
        {}("item", models.Index(fields=["title"], name="title")),
        migrations.RunSQL("{}ALTER TABLE items_item DROP COLUMN body"),
    ]
"""
INDEX = {"django": "migrations.AddIndex", "alembic": 'op.create_index("title", "items", ["title"])'}
INDEX_CONCURRENTLY = {
    "django": "AddIndexConcurrently",
    "alembic": "with op.get_context().autocommit_block():\n"
    '        op.create_index("title", "items", ["title"], postgresql_concurrently=True)',
}


def test_lint_refuses_migrations_that_stop_the_service(framework: str, project: BakedProject, tmp_path: Path) -> None:
    project.run("make", "install")
    copy = BakedProject(tmp_path / "my-service")
    shutil.copytree(project.path, copy.path, ignore=shutil.ignore_patterns(".venv"))
    (copy.path / ".venv").symlink_to(project.path / ".venv")
    tool, text, folder = (
        ("django", DJANGO, "app/items/migrations")
        if framework == "django"
        else ("alembic", ALEMBIC, "migrations/versions")
    )
    migration = copy.path / folder / "0002_titles.py"
    no_server = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}

    migration.write_text(text.format(INDEX[tool], ""))
    refused = copy.run("make", "lint", env=no_server, check=False)
    assert refused.returncode != 0
    assert "require-concurrent-index-creation" in refused.stdout
    assert "ban-drop-column" in refused.stdout

    migration.write_text(text.format(INDEX_CONCURRENTLY[tool], r"-- squawk-ignore ban-drop-column\n"))
    copy.run("make", "lint", env=no_server)
    # What it asks for also runs where no server is.
    copy.run("./entrypoint", "migrate", env=copy.activated | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"})


def test_its_speed_is_measured(project: BakedProject) -> None:
    program("wrk", "wrk")
    _, *rows = project.run("make", "bench", "ARGS=--seconds 1").stdout.splitlines()
    seen = {row.split()[0]: [float(cell.strip("%").replace(",", "")) for cell in row.split()[1:]] for row in rows}
    assert list(seen) == ["list", "item", "health"]
    for project_rate, floor_rate, share, p50, p99, floor_p99 in seen.values():
        assert project_rate > 0
        assert share == pytest.approx(100 * project_rate / floor_rate, abs=1)
        assert 0 < p50 <= p99
        assert floor_p99 > 0


def test_to_measure_says_what_it_misses(project: BakedProject, tmp_path: Path) -> None:
    link_programs(tmp_path, without="wrk")
    failed = project.run("make", "bench", env={"PATH": str(tmp_path)}, check=False)
    assert failed.returncode == 2
    assert "apt-get install wrk" in failed.stdout


def test_nothing_is_left_to_ignore(project: BakedProject, server: Server) -> None:
    """After running and testing, Git sees one new file, which belongs into the repository: the user's own lock file."""
    assert server.process is not None
    assert git(project.path, "status", "--porcelain") == "?? uv.lock\n"


def test_an_env_file_has_a_fresh_secret_and_stays_private(project: BakedProject) -> None:
    project.run("make", "env")
    env = project.path / ".env"
    try:
        secret = next(line for line in env.read_text().splitlines() if line.startswith("SECRET_KEY="))
        assert len(secret) > len("SECRET_KEY=") + 40
        assert env.stat().st_mode & 0o077 == 0
        assert ".env" not in git(project.path, "status", "--porcelain")
        again = project.run("make", "env", check=False)
        assert again.returncode != 0
        assert "exists" in again.stdout
        assert secret in env.read_text()
    finally:
        env.unlink()


def browse(url: str, screenshot: Path, tmp_path: Path) -> tuple[str, set[str]]:
    """The page's text after its scripts ran, and the hosts that the browser asked for anything."""
    if CHROMIUM is None:
        missing("chromium", "chromium")
    network = tmp_path / "network.json"
    screenshot.parent.mkdir(exist_ok=True)
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1100,1400",
        "--virtual-time-budget=8000",
        f"--user-data-dir={tmp_path}/profile",
    )
    text = subprocess.run(
        [CHROMIUM, *options, f"--log-net-log={network}", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    subprocess.run(
        [CHROMIUM, *options, f"--screenshot={screenshot}", url], capture_output=True, timeout=120, check=True
    )
    events = [event["params"] for event in json.loads(network.read_text())["events"] if "params" in event]
    # The browser asks for things of its own; what the page asks for has the page as its initiator.
    asked = [event["url"] for event in events if str(event.get("initiator")).startswith("http://127.0.0.1")]
    return text, {str(urlsplit(url).hostname) for url in asked}


def test_the_page_opens(framework: str, server: Server, tmp_path: Path) -> None:
    page, hosts = browse(server.base_url, REPORTS / f"{framework}.png", tmp_path)
    assert "<h1>My Service</h1>" in page
    assert page.count('class="ok"') == 3
    assert ("/admin/" in page) == (framework == "django")
    assert hosts == {"127.0.0.1"}


def test_every_link_of_the_page_works(server: Server) -> None:
    page = httpx.get(server.base_url).text
    links = {part.split('"')[0] for part in page.split('href="')[1:]} | {
        part.split('"')[0] for part in page.split('src="')[1:]
    }
    assert len(links) >= 6
    for link in links:
        assert httpx.get(server.base_url + link, follow_redirects=True).status_code == 200, link


def test_the_documentation_lists_every_call_and_stays_at_home(framework: str, server: Server, tmp_path: Path) -> None:
    page, hosts = browse(f"{server.base_url}/docs", REPORTS / f"{framework}-docs.png", tmp_path)
    document = httpx.get(f"{server.base_url}/api/v1/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == 10
    for operation in operations:
        assert operation["summary"] in page
    for path in document["paths"]:
        # Swagger UI lets long paths break after each slash.
        assert path in page.replace("<wbr>", "").replace("&#x200B;", "").replace("\u200b", "")
    assert hosts == {"127.0.0.1"}
