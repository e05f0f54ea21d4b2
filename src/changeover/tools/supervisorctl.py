"""Commands of supervisorctl and the meaning of their output."""

from __future__ import annotations

from dataclasses import dataclass

from changeover.hosts.command import Command, command

RUNNING = "RUNNING"
COMING = frozenset({"STARTING", "STOPPING"})


@dataclass(frozen=True)
class Process:
    """One process as `status` tells it."""

    name: str
    state: str
    told: str
    """The rest of the line: `pid 12, uptime 0:00:05`, or why it is not there."""

    @property
    def pid(self) -> str:
        """The process id; empty where it does not run."""
        words = self.told.replace(",", "").split()
        return words[1] if words[:1] == ["pid"] else ""


def ctl(config: str, *words: str) -> Command:
    """Speak to the supervisord of a configuration file; empty means the system's."""
    return command("supervisorctl", *(["-c", config] if config else []), *words)


def parse_status(output: str) -> list[Process]:
    """Return the processes `status` names; messages about names it does not know are left out."""
    rows = (line.split(None, 2) for line in output.splitlines() if line.strip())
    states = {"RUNNING", "STARTING", "STOPPING", "STOPPED", "BACKOFF", "EXITED", "FATAL", "UNKNOWN"}
    return [
        Process(row[0], row[1], row[2].strip() if len(row) > 2 else "")
        for row in rows
        if len(row) > 1 and row[1] in states
    ]


def parse_reread(output: str) -> dict[str, str]:
    """Return what supervisord has not taken over yet: group -> available, changed, disappeared."""
    rows = (line.rpartition(": ") for line in output.splitlines())
    return {
        group: word for group, _, word in rows if word in ("available", "changed", "disappeared")
    }


def parse_avail(output: str) -> set[str]:
    """Return the groups supervisord has taken over, of what `avail` prints."""
    rows = (line.split(None, 1) for line in output.splitlines())
    return {r[0].partition(":")[0] for r in rows if len(r) > 1 and r[1].startswith("in use")}
