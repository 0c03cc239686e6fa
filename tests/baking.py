"""Generated projects for the tests."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
_INHERITED = ("PATH", "HOME", "UV_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def fresh_environment(**variables: str) -> dict[str, str]:
    """What a person's shell would hold on a fresh machine, and these variables."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | variables


@dataclass(frozen=True)
class BakedProject:
    """A generated project on disk."""

    path: Path

    @property
    def activated(self) -> dict[str, str]:
        """The PATH that finds the project's own programs first, as its container has it."""
        return {"PATH": f"{self.path}/.venv/bin:{os.environ['PATH']}"}

    def run(
        self, *command: str, env: Mapping[str, str] | None = None, check: bool = True, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder, with nothing but these variables; `stdout` holds both streams."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=fresh_environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}")
        return done

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")


@functools.cache
def template() -> Path:
    """A copy of what Git would commit: cookiecutter copies untracked and ignored files too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = Path(tempfile.mkdtemp(prefix="template-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@functools.cache
def bake(out_dir: Path, **answers: str) -> BakedProject:
    """Generate a project below `out_dir`. The same answers give the same project: tests must not change it."""
    out_dir.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=out_dir))
    config = folder / "cookiecutter.yml"
    config.write_text(f"cookiecutters_dir: {folder}/cookiecutters\nreplay_dir: {folder}/replay\n", encoding="utf-8")
    path = cookiecutter(
        str(template()), no_input=True, extra_context=answers, output_dir=str(folder), config_file=str(config)
    )
    return BakedProject(Path(path))
