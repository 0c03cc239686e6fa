"""The processes beside the web server: `flask --app app.main worker` and `beat`, with Celery's own arguments."""

import click
from flask import Blueprint

from app import worker as processes

commands = Blueprint("commands", __name__, cli_group=None)
# Celery reads the arguments, `--help` too.
passed_on = {"ignore_unknown_options": True, "help_option_names": []}


@commands.cli.command(context_settings=passed_on)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(arguments: tuple[str, ...]) -> None:
    """Run jobs as they come."""
    processes.worker(arguments)


@commands.cli.command(context_settings=passed_on)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def beat(arguments: tuple[str, ...]) -> None:
    """Have the jobs that nobody runs sent again, every few seconds."""
    processes.beat(arguments)
