"""The web process: `python -m app.server [--reload]`."""

import signal
import sys
from argparse import ArgumentParser

import uvicorn

from app import logs
from app.environment import environment


def main() -> None:
    arguments = ArgumentParser(prog="web")
    arguments.add_argument("--reload", action="store_true", help="start again when a file in app/ changes")
    reload = arguments.parse_args().reload
    logs.configure()
    # Once uvicorn has stopped cleanly it sends itself the signal that stopped it: that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # https://uvicorn.dev/settings/
    uvicorn.run(
        "app.main:app",
        host=environment.host,
        port=environment.port,
        workers=environment.web_concurrency,
        forwarded_allow_ips=list(environment.forwarded_allow_ips),
        reload=reload,
        reload_dirs=["app"] if reload else None,
        loop="uvloop",
        http="httptools",
        ws="none",
        timeout_graceful_shutdown=25,
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
