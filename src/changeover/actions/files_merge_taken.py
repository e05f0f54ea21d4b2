"""Which older files a file was made from: kept beside its record, so that each counts once."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import dirname

from changeover.bases.record import record_path
from changeover.hosts.host import Host


@dataclass(frozen=True)
class Taken:
    """What is recorded, and what has to be."""

    recorded: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()

    @property
    def due(self) -> bool:
        """Whether something is left to be recorded."""
        return not self.wanted <= self.recorded


NOTHING_TAKEN = Taken()


def taken_path(host: Host, path: str) -> str:
    """Return where it is kept."""
    return f"{record_path(host, path)}.was"


def taken(host: Host, path: str) -> frozenset[str]:
    """Return the older files that the file behind every link was made from."""
    kept = host.read(taken_path(host, path))
    return frozenset(kept.decode().split("\n")) - {""} if kept else frozenset()


def record_taken(host: Host, path: str, found: Taken) -> None:
    """Keep what a file was made from."""
    if not found.due:
        return
    where = taken_path(host, path)
    host.make_folder(dirname(where), mode=0o700)
    names = sorted(found.recorded | found.wanted)
    host.write(where, "".join(f"{name}\n" for name in names).encode(), mode=0o600)
