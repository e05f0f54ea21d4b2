"""The merges a host still owes: what package managers left beside files that were edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.bases.find import Known, find_base
from changeover.bases.job import FileJob
from changeover.bases.record import recorded_base
from changeover.errors import InvalidInput
from changeover.hosts.host import Host
from changeover.merge.pending import OURS, THEIRS, Pending, find_pending
from changeover.tools import leftover
from changeover.tools.replacing import real_path


@dataclass(frozen=True)
class Owed:
    """One merge that waits, and the leftover that goes once it is done."""

    pending: Pending
    job: FileJob

    @property
    def leftover(self) -> str:
        """Return the path of what the package manager left."""
        pending = self.pending
        return pending.theirs if pending.theirs != pending.target else pending.ours


@dataclass(frozen=True)
class Lonely:
    """A leftover nothing can be merged with, and why."""

    path: str
    reason: str


def owed_merges(host: Host, folder: str, *, download: bool = False) -> Iterator[Owed | Lonely]:
    """Yield the merges that wait below a folder, each with its base; only reads.

    Raises `InvalidInput` where there is no such folder.
    """
    said = host.ask(leftover.leftovers(folder, (*THEIRS, *OURS)))
    if not said.ok:
        raise InvalidInput(f"{host.name}: {folder}: no such folder", "name one that exists")
    paths = said.stdout.splitlines()
    owed = find_pending(paths)
    merged = {p.theirs if p.theirs != p.target else p.ours for p in owed}
    yield from (_owed(host, pending, download=download) for pending in owed)
    for path in dict.fromkeys(paths):
        if path.endswith((*THEIRS, *OURS)) and path not in merged:
            yield Lonely(path, "the file it belongs to is not there")


def _owed(host: Host, pending: Pending, *, download: bool) -> Owed | Lonely:
    if pending.theirs.endswith(".dpkg-new"):
        return Lonely(pending.theirs, "dpkg is not done with it: dpkg --configure -a")
    ours, theirs = (_text(host, path) for path in (pending.ours, pending.theirs))
    if ours is None or theirs is None:
        left = pending.theirs if pending.theirs != pending.target else pending.ours
        return Lonely(left, "one of the two is no file, or larger than 1 MiB")
    known = Known(ours=ours, theirs=theirs, download=download)
    # Packages know the path they delivered; merges record the file behind its links.
    base = recorded_base(host, _real(host, pending.target)) or find_base(
        host, pending.target, known
    )
    labels = (base.origin if base else "no base", pending.ours, pending.theirs)
    return Owed(pending, FileJob(host, pending.target, ours, theirs, base, labels))


def _text(host: Host, path: str) -> bytes | None:
    """Return the text of a file, behind links."""
    real = _real(host, path)
    return host.read(real) if real else None


def _real(host: Host, path: str) -> str:
    """Return where a path leads; empty where it leads nowhere."""
    real = host.ask(real_path(path))
    return real.stdout.rstrip("\n") if real.ok else ""
