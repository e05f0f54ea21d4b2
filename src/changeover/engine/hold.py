"""Hold an instance for a run: its locks, and what hosts and colleagues know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from changeover.engine.absence import refuse_other_machine
from changeover.engine.broadcast import Broadcast, copies_of
from changeover.engine.journal import Journal
from changeover.engine.lock import InstanceLock, holder_here
from changeover.engine.session import Session
from changeover.engine.takeover import learn
from changeover.errors import NotReady, Unreachable
from changeover.model import events as ev

LEFTOVER_PATIENCE = 600.0
"""Seconds to wait for a command that a dead process left running."""


@dataclass(frozen=True)
class Hold:
    """What holds the hosts of a session for one run."""

    session: Session
    journal: Journal
    broadcast: Broadcast
    by: str

    @contextmanager
    def taken(self, *, force: bool = False, end_leftovers: bool = False) -> Iterator[None]:
        """Hold the instance: its lock here and on every host, under a fresh token."""
        session, store, journal = self.session, self.session.store, self.journal
        holder = holder_here(store.identity, journal.run, self.by)
        lock = InstanceLock(store.folder, session.reached, holder)
        with offering(begun=bool(journal.state.started)):
            lock.take(max(journal.state.token + 1, store.next_token()), force=force)
        try:
            # Another process, or a colleague, may have gone on since the journal was read.
            copies = copies_of(session.reached)
            learn(session, journal.run, copies)
            journal.catch_up()
            if session.away:
                refuse_other_machine(journal.state, store.identity)
            store.forget_requests(journal.run)
            self.broadcast.catch_up(store.entries(), copies)
            journal.append(ev.LockTaken(lock.token, self.by, store.identity))
            self._await_leftovers(end=end_leftovers)
            yield
        finally:
            try:
                self.broadcast.flush()
            finally:
                lock.release()

    def _await_leftovers(self, *, end: bool) -> None:
        """Let end, or end, what a dead process of ours still runs: two at once would collide."""
        for name, transport in self.session.reached.items():
            found = transport.leftover()
            if not found:
                continue
            gone = transport.end_leftover() if end else transport.wait_leftover(LEFTOVER_PATIENCE)
            if not gone:
                raise NotReady(
                    f"{name}: {found} of an earlier process still runs",
                    "wait for it, or end it: changeover takeover --end",
                )


@contextmanager
def offering(*, begun: bool) -> Iterator[None]:
    """Say how to do without a host that cannot be reached, beside how to reach it."""
    try:
        yield
    except Unreachable as error:
        without = (
            "without it for now: changeover resume --without HOST, or undo --without HOST"
            if begun
            else "without it: take it out of instance.yaml, and plan again"
        )
        remedy = "; ".join(filter(None, (error.remedy, without)))
        raise Unreachable(error.message, remedy) from error
