"""The web process: `python -m app.server APPLICATION [--reload]`."""

import socket
import sys
from argparse import ArgumentParser

from granian import Granian
from granian.constants import Interfaces

from app import logs
from app.environment import BASE_DIR, environment


def check_port() -> None:
    """Exit if somebody serves there already: Granian would share the port, and the requests."""
    family = socket.AF_INET6 if ":" in environment.host else socket.AF_INET
    try:
        socket.create_server((environment.host, environment.port), family=family).close()
    except OSError as error:
        sys.exit(f"Cannot listen on {environment.host}, port {environment.port}: {error.strerror}. Is PORT right?")


def main() -> None:
    arguments = ArgumentParser(prog="web")
    arguments.add_argument("application", help="the module and the name in it, such as app.wsgi:application")
    arguments.add_argument("--reload", action="store_true", help="start again when a file in app/ changes")
    given = arguments.parse_args()
    check_port()
    # https://github.com/emmett-framework/granian#options
    Granian(
        given.application,
        interface=Interfaces.WSGI,
        address=environment.host,
        port=environment.port,
        workers=environment.web_concurrency,
        blocking_threads=4,
        websockets=False,
        respawn_failed_workers=True,
        # A worker that is told to stop while it starts never hears it. Shorter than an orchestrator's patience.
        workers_kill_timeout=25,
        log_dictconfig=logs.configuration(),
        reload=given.reload,
        reload_paths=[BASE_DIR / "app"],
    ).serve()


if __name__ == "__main__":
    main()
