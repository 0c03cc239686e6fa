"""The processes beside the web server: `python -m app.jobs.commands worker` and `beat`."""

from argparse import REMAINDER, ArgumentParser

from app import worker


def main() -> None:
    processes = {"worker": worker.worker, "beat": worker.beat}
    parser = ArgumentParser()
    parser.add_argument("process", choices=processes)
    parser.add_argument("arguments", nargs=REMAINDER, help="for Celery")
    given = parser.parse_args()
    processes[given.process](given.arguments)


if __name__ == "__main__":
    main()
