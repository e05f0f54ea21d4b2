"""Room on file systems, as df tells it."""

from __future__ import annotations

import re

from changeover.hosts.command import Command, shell

# From the numbers on: both the device's and the folder's name may hold spaces.
_COLUMNS = re.compile(r"(\d+|-)\s+(\d+|-)\s+(\d+|-)\s+(?:\d+%|-)\s+/")

_FREE = """
at=$1
while [ ! -e "$at" ]; do at=${at%/*}; at=${at:-/}; done
df -Pk -- "$at" | tail -n 1
df -Pi -- "$at" | tail -n 1
"""


def free(path: str) -> Command:
    """Ask for the room at a path, or at its nearest parent that is there."""
    return shell(_FREE, path)


def parse_free(output: str) -> tuple[int, int | None]:
    """Return the bytes free, and the files that still fit (None where they are not counted)."""
    room, files = (_COLUMNS.search(line) for line in output.strip().splitlines())
    if room is None or files is None:
        return 0, None
    counted = files[1].isdigit() and int(files[1]) > 0
    return int(room[3]) * 1024, int(files[3]) if counted else None
