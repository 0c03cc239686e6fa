"""For every test."""

import signal


def pytest_configure() -> None:
    # A shell that runs something in the background ignores these for it, and for whatever it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
