"""A terminal somebody sits at: keys are pressed once a question is there."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

LIMIT = 60.0


@dataclass(frozen=True)
class Seen:
    """All that was on the terminal, and how the program ended."""

    text: str
    code: int


def at_terminal(folder: Path, words: list[str], keys: list[tuple[str, str]]) -> Seen:
    """Run `changeover` on a terminal; wait for each text, then press its keys."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "changeover.cli.main", *words],
        cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    text, since, todo = "", 0, list(keys)
    end = time.monotonic() + LIMIT
    try:
        while time.monotonic() < end:
            if todo and todo[0][0] in text[since:] and _listens(ours, todo[0][1]):
                since = len(text)
                os.write(ours, todo.pop(0)[1].encode())
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                more = os.read(ours, 65536)
            except OSError:
                break  # the other end is closed: that is how a terminal ends
            if not more:
                break
            text += more.decode("utf-8", "replace")
        return Seen(text.replace("\r\n", "\n"), program.wait(LIMIT))
    finally:
        program.kill()
        program.wait()
        os.close(ours)


def _listens(terminal: int, keys: str) -> bool:
    """Return whether single keys are waited for: what is typed before that is thrown away."""
    waits_for_lines = termios.tcgetattr(terminal)[3] & termios.ICANON
    return keys.endswith("\r") or not waits_for_lines
