"""A disk without room, or without room for another file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.diagnoses.anatomy import Body
from changeover.diagnoses.asked import Questions, Replies
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import shell
from changeover.model.diagnosis import Fault

MIB = 1024
FULL, LOW = 0.01, 0.05
"""Shares of a disk that must be free: below the first it is full, below the second nearly so."""
LEAST, MOST_FULL, MOST_LOW = 4 * MIB, 512 * MIB, 2048 * MIB
"""KiB: less than the first is full on any disk, more than the others never is full, or low."""

ROOM = """
at=$1
while [ ! -e "$at" ]; do at=${at%/*}; at=${at:-/}; done
df -k --output=size,avail,itotal,iavail,target -- "$at" | tail -n 1
"""
LARGEST = """
du -xk --max-depth=4 -- "$1" 2>/dev/null | sort -rn | awk 'NR > 1 && $1 > 1024' | head -n 4
"""
CROWDED = """
du -x --inodes --max-depth=4 -- "$1" 2>/dev/null | sort -rn | awk 'NR > 1' | head -n 3
"""


@dataclass(frozen=True)
class Room:
    """A file system, in KiB and files."""

    mount: str
    size: int
    free: int
    files: int
    files_free: int

    @property
    def full(self) -> bool:
        """Whether next to nothing can be written."""
        return self.free < max(LEAST, min(self.size * FULL, MOST_FULL))

    @property
    def low(self) -> bool:
        """Whether it will soon be full."""
        return self.free < min(self.size * LOW, MOST_LOW)

    @property
    def crowded(self) -> bool:
        """Whether no more files fit, however small."""
        return self.files > 0 and self.files_free < max(1, self.files // 1000)


class DiskKind(Kind):
    """Looks at every file system the platform writes to."""

    def asks(self, body: Body) -> Questions:
        """Ask for the room at each folder."""
        return {f"disk {disk.path}": shell(ROOM, disk.path) for disk in body.disks}

    def asks_further(self, body: Body, replies: Replies) -> Questions:
        """Where a disk is full, ask what takes the room."""
        found: Questions = {}
        for room in rooms(body, replies):
            if room.full or room.low:
                found[f"largest {room.mount}"] = shell(LARGEST, room.mount)
            if room.crowded:
                found[f"crowded {room.mount}"] = shell(CROWDED, room.mount)
        return found

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Disks that are full, crowded, or nearly so."""
        for room in rooms(body, replies):
            thing = f"disk {room.mount}"
            if room.full or room.low:
                word = "is full" if room.full else "is nearly full"
                said = f"{room.mount} {word}: {_size(room.free)} of {_size(room.size)} free"
                taken = _taken(replies.out(f"largest {room.mount}"), "takes {}")
                remedy = "make room there; old releases and logs first: changeover finalize frees "
                remedy += "what the undo of accepted runs needed"
                yield Fault("disk-full", thing, said, taken, remedy, grave=room.full)
            if room.crowded:
                said = f"{room.mount} takes no more files: {room.files_free} of {room.files} left"
                many = _taken(replies.out(f"crowded {room.mount}"), "holds {} files", files=True)
                remedy = "remove the many small files (sessions, mails, caches) that fill it"
                yield Fault("disk-out-of-inodes", thing, said, many, remedy)


def rooms(body: Body, replies: Replies) -> list[Room]:
    """Return each file system once."""
    found = {}
    for disk in body.disks:
        words = replies.out(f"disk {disk.path}").split(None, 4)
        if len(words) == 5 and words[0].isdigit():
            numbers = [int(word) if word.isdigit() else 0 for word in words[:4]]
            room = Room(words[4].strip(), *numbers)
            found[room.mount] = room
    return list(found.values())


def _taken(output: str, said: str, *, files: bool = False) -> tuple[str, ...]:
    rows = (line.split(None, 1) for line in output.splitlines())
    return tuple(
        f"{path} {said.format(number if files else _size(int(number)))}" for number, path in rows
    )


def _size(kib: int) -> str:
    return f"{kib / MIB:.0f} MiB" if kib < 10 * MIB * MIB else f"{kib / MIB / MIB:.0f} GiB"
