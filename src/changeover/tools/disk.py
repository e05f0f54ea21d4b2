"""Room on file systems, as df tells it."""

from __future__ import annotations

from changeover.hosts.command import Command, shell

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
    room, files = (line.rsplit(None, 5) for line in output.strip().splitlines())
    counted = files[1].isdigit() and int(files[1]) > 0
    return int(room[3]) * 1024, int(files[3]) if counted else None
