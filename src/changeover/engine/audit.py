"""Prove the journal: against itself, and against its copies on the hosts."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.engine.broadcast import Copy, copy_of, undamaged
from changeover.engine.journal import verify_chain
from changeover.engine.session import Session
from changeover.errors import ChangeoverError, Tampered
from changeover.hosts.transport import ShellTransport
from changeover.model.events import Entry, HopStarted, LockTaken, RunStarted, UndoStarted
from changeover.model.findings import Finding, passed, warned

REMEDY = "keep both copies and find out who wrote to the store: changeover audit export"


def verify(session: Session) -> Iterator[Finding]:
    """Yield what holds; raise `Tampered` where the store was edited, cut or chained anew."""
    # The hosts first: a run that goes on meanwhile writes here before it writes there.
    remembered = [_remembered(name, t) for name, t in session.transports.items()]
    known = list(session.store.entries())
    last = verify_chain(known)
    yield passed(f"{len(known)} entries, each chained to the one before")
    yield passed(f"{_plans(session, known)} plans, each what its digest says")
    for copy in remembered:
        yield copy if isinstance(copy, Finding) else _compare(copy, known, session.store.identity)
    yield passed(f"head: {last.hash if last else 'none'}")


def _plans(session: Session, known: list[Entry]) -> int:
    """Count the plans that runs began with; raise `Tampered` where one is another."""
    named = {
        e.event.plan for e in known if isinstance(e.event, RunStarted | HopStarted | UndoStarted)
    }
    kept = named & set(session.store.plans())
    for digest in kept:
        session.store.plan(digest)
    return len(kept)


def _remembered(name: str, transport: ShellTransport) -> Copy | Finding:
    try:
        return copy_of(name, transport)
    except ChangeoverError as error:
        return warned(f"{name}: its copy cannot be read: {error}", error.remedy)


def _compare(copy: Copy, known: list[Entry], identity: str) -> Finding:
    entries = {entry.seq: entry for entry in known}
    found = list(undamaged(copy, {entry.seq: entry.hash for entry in known}))
    for entry in found:
        # Whole: what was damaged on its disk has still its old hash.
        if entries.get(entry.seq, entry) != entry:
            raise Tampered(f"entry {entry.seq} is another one on {copy.host}", REMEDY)
    lacking = [entry for entry in found if entry.seq not in entries]
    if lacking:
        return _behind(copy.host, lacking, len(known), identity)
    newest, junk = max((entry.seq for entry in found), default=0), len(copy.entries) - len(found)
    torn = f"; {junk} more are damaged, and passed over" if junk else ""
    return passed(f"{copy.host} remembers {len(found)} entries, up to {newest}, all the same{torn}")


def _behind(name: str, lacking: list[Entry], known: int, identity: str) -> Finding:
    """Say that a colleague wrote since; raise where what this store wrote itself is missing."""
    # Whoever goes on from another machine says so first: entries before that were ours.
    first = lacking[0].event
    elsewhere = isinstance(first, LockTaken) and first.store not in ("", identity)
    own = any(isinstance(e.event, LockTaken) and e.event.store == identity for e in lacking)
    if lacking[0].seq <= known or not elsewhere or own:
        raise Tampered(f"{name} remembers entry {lacking[0].seq}, which the store lacks", REMEDY)
    return warned(
        f"{name} remembers {len(lacking)} entries more, written from another machine",
        "nothing is wrong: the next run learns them",
    )
