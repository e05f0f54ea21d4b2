"""Print the entries of a journal as they come."""

from __future__ import annotations

import os
import sys
import threading

import click

from changeover.engine.journal import Follower, encode
from changeover.model.events import Entry
from changeover.views.run import entry_line

_lock = threading.Lock()


def follower(output: str) -> Follower:
    """Return what prints each entry: a line for people, or one JSON event a line."""

    def tell(entry: Entry) -> None:
        line = encode(entry) if output == "json" else entry_line(entry)
        if line:
            with _lock:
                _say(line)

    return tell


def _say(line: str) -> None:
    try:
        click.echo(line)
    except BrokenPipeError:
        # Whoever read has gone; the run goes on, its journal tells.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
