"""Prove the journal: against itself, and against its copies on the hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.engine.broadcast import entries_of
from changeover.engine.journal import verify_chain
from changeover.engine.session import Session
from changeover.errors import ChangeoverError, Tampered
from changeover.hosts.transport import ShellTransport
from changeover.model.events import Entry
from changeover.model.findings import Finding, passed, warned

REMEDY = "keep both copies and find out who wrote to the store: changeover audit export"


@dataclass(frozen=True)
class Copy:
    """What one host remembers."""

    host: str
    entries: tuple[Entry, ...]


def verify(session: Session) -> Iterator[Finding]:
    """Yield what holds; raise `Tampered` where the store was edited, cut or chained anew."""
    known = list(session.store.entries())
    last = verify_chain(known)
    yield passed(f"{len(known)} entries, each chained to the one before")
    by_seq = {entry.seq: entry for entry in known}
    for name, transport in session.transports.items():
        yield _compare(name, transport, by_seq)
    yield passed(f"head: {last.hash if last else 'none'}")


def copies(session: Session) -> Iterator[Copy]:
    """Yield the journal as each host that can be reached remembers it."""
    for name, transport in session.transports.items():
        yield copy_of(name, transport)


def copy_of(name: str, transport: ShellTransport) -> Copy:
    """Read a host's copy of the journal."""
    return Copy(name, tuple(entries_of(transport.journal_lines())))


def _compare(name: str, transport: ShellTransport, known: dict[int, Entry]) -> Finding:
    try:
        remembered = copy_of(name, transport).entries
    except ChangeoverError as error:
        return warned(f"{name}: its copy cannot be read: {error}", error.remedy)
    for entry in remembered:
        ours = known.get(entry.seq)
        if ours is None:
            raise Tampered(f"{name} remembers entry {entry.seq}, which the store lacks", REMEDY)
        if ours.hash != entry.hash:
            raise Tampered(f"entry {entry.seq} is another one on {name}", REMEDY)
    newest = max((entry.seq for entry in remembered), default=0)
    return passed(f"{name} remembers {len(remembered)} entries, up to {newest}, all the same")
