"""Which older files a file was made from: kept beside its record, so that each counts once.

The first line names the shape: the same files may be divided, joined and divided again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from posixpath import dirname

from changeover.bases.record import record_path
from changeover.hosts.host import Host, digest


@dataclass(frozen=True)
class Taken:
    """What is recorded of a shape, and what has to be."""

    shape: str = ""
    recorded: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()

    @property
    def due(self) -> bool:
        """Whether something is left to be recorded."""
        return not self.wanted <= self.recorded


NOTHING_TAKEN = Taken()


def shape_of(files: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return what names a shape: which files were made from which."""
    lines = sorted(f"{path} < {' '.join(sorted(was))}" for path, was in files)
    return digest("\n".join(lines).encode())


def taken_path(host: Host, path: str) -> str:
    """Return where it is kept."""
    return f"{record_path(host, path)}.was"


def taken(host: Host, path: str, shape: str) -> frozenset[str]:
    """Return the older files that the file behind every link was made from, in this shape."""
    if not host.look(path).there:
        return frozenset()
    kept = (host.read(taken_path(host, path)) or b"").decode().split("\n")
    return frozenset(kept[1:]) - {""} if kept[0] == shape else frozenset()


def record_taken(host: Host, path: str, found: Taken) -> None:
    """Keep what a file was made from."""
    if not found.due:
        return
    where = taken_path(host, path)
    host.make_folder(dirname(where), mode=0o700)
    lines = [found.shape, *sorted(found.recorded | found.wanted)]
    host.write(where, "".join(f"{line}\n" for line in lines).encode(), mode=0o600)
