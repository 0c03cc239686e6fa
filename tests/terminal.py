"""A person at a terminal: a command in a pseudo-terminal, the keys pressed, the screen that they see."""

import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

UP, DOWN, ENTER, CTRL_C, CTRL_U = "\x1b[A", "\x1b[B", "\r", "\x03", "\x15"


class Terminal:
    """Types into a command and reads its screen; every wait ends as soon as what it waits for is seen."""

    def __init__(self, *command: str, cwd: Path, env: dict[str, str], columns: int = 100, lines: int = 40) -> None:
        self.screen = pyte.Screen(columns, lines)
        # How the terminal answers a program that asks where its cursor is.
        self.screen.write_process_input = self.type  # type: ignore[method-assign, assignment]
        self.stream = pyte.Stream(self.screen)
        variables = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns)} | env
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # pytest-xdist has threads
            self.child = pexpect.spawn(
                command[0],
                list(command[1:]),
                cwd=str(cwd),
                env=variables,
                dimensions=(lines, columns),
                encoding="utf-8",
                codec_errors="replace",
            )
        self.child.delaybeforesend = self.child.delayafterclose = self.child.delayafterterminate = 0

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).strip("\n")

    def type(self, keys: str) -> None:
        self.child.send(keys)

    def read(self, seconds: float = 0.05) -> bool:
        """Show what the command printed; False when it has ended."""
        try:
            self.stream.feed(self.child.read_nonblocking(65536, timeout=seconds))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        return True

    def wait(self, condition: Callable[[str], bool], seconds: float = 30) -> str:
        until = time.monotonic() + seconds
        while not condition(self.text):
            ended = not self.read()
            if (ended and not condition(self.text)) or time.monotonic() > until:
                raise AssertionError(f"not seen on this screen:\n{self.text}")
        return self.text

    def see(self, *texts: str) -> str:
        """Wait until all of these are on the screen."""
        return self.wait(lambda screen: all(text in screen for text in texts))

    def miss(self, text: str) -> str:
        """Wait until this is no longer on the screen."""
        return self.wait(lambda screen: text not in screen)

    def status(self) -> int:
        """Wait for the end; the exit status."""
        until = time.monotonic() + 30
        while self.read(1):
            assert time.monotonic() < until, f"it goes on, with this screen:\n{self.text}"
        self.child.close()
        assert self.child.exitstatus is not None, f"killed by signal {self.child.signalstatus}"
        return int(self.child.exitstatus)
