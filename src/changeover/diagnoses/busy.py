"""A host too busy to answer: what it did not say is not held against it."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.diagnoses.anatomy import Body
from changeover.diagnoses.asked import TOO_SLOW, Questions, Replies
from changeover.diagnoses.kind import Kind
from changeover.hosts.command import shell
from changeover.model.diagnosis import Fault

LOAD = "cat /proc/loadavg; nproc; awk '/MemAvailable/ { print $2 }' /proc/meminfo"
SHOWN = 4


class BusyKind(Kind):
    """Counts the questions that got no answer in time."""

    def asks(self, body: Body) -> Questions:
        """Ask for the load, which is answered even then."""
        return {"load": shell(LOAD)}

    def faults(self, body: Body, replies: Replies) -> Iterator[Fault]:
        """Questions left open, and what the host is busy with, in numbers."""
        late = [name for name, done in replies.found.items() if done.code == TOO_SLOW]
        if not late:
            return
        words = replies.out("load").split()
        told = len(words) > 6
        load = (
            f"load {words[0]} on {words[5]} processors, {words[6]} kB of memory free"
            if told
            else ""
        )
        yield Fault(
            "host-busy", "load", f"{len(late)} questions got no answer in time; ask again",
            (*((load,) if told else ()), f"not answered: {', '.join(late[:SHOWN])}"),
            "see what takes the time: top", grave=False,
        )  # fmt: skip
