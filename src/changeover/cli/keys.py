"""Questions that one key answers."""

from __future__ import annotations

import os
import re
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from changeover.errors import InvalidInput

END_OF_INPUT = "\x04"
LONG_KEYS = re.compile(r"\x1b(?:\[[0-9;]*[~a-z]|o.|.)?")
"""What arrow and function keys send, in small letters."""


def one_key(question: str, keys: str) -> str:
    """Wait for one of these keys; the end of the input counts as `q`."""
    # What was typed before the question was there is no answer to it; what comes after it is.
    with _listening() as pressed:
        click.echo(f"  {question}: ", nl=False, err=True)
        key = pressed()
        while key and key not in keys:
            key = pressed()
    click.echo(key or "q", err=True)
    return key or "q"


@contextmanager
def _listening() -> Iterator[Callable[[], str]]:
    """Have the terminal hand over each key as it is pressed; empty at the end of the input."""
    if not sys.stdin.isatty():
        yield _elsewhere
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSAFLUSH)
    try:
        pressed = _pressed(terminal)
        yield lambda: next(pressed)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _pressed(terminal: int) -> Iterator[str]:
    """Yield the keys that are letters; an arrow or function key comes as several bytes at once."""
    while True:
        found = os.read(terminal, 32).decode("utf-8", "replace").lower()
        if not found or found[0] == END_OF_INPUT:
            yield ""
        yield from LONG_KEYS.sub("", found)


def _elsewhere() -> str:
    """Ask the terminal of the process where its input is something else."""
    try:
        return click.getchar().lower()
    except EOFError:
        return ""
    except OSError as error:
        raise InvalidInput("there is no terminal to ask on", "--answer PATH=ours") from error
