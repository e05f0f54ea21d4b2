"""Where the events of all runs of an instance are kept: append-only and chained by hash."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from changeover.errors import InvalidInput, Tampered
from changeover.model.codec import canonical, digest_of, from_json, to_json
from changeover.model.events import EVENTS, Entry, Event
from changeover.model.state import RunState

GENESIS = "0" * 64
"""What the first entry of a journal is chained to."""


class EntryStore(Protocol):
    """The small seam to a database."""

    def add(self, entry: Entry, body: str) -> None:
        """Keep one entry; return only once it is safe on disk."""

    def entries(self, run: str = "") -> Iterator[Entry]:
        """Yield the entries, of one run or of all, in order."""

    def head(self) -> Entry | None:
        """Return the last entry."""


def chain(seq: int, run: str, at: str, event: Event, previous: str) -> Entry:
    """Make the entry that follows `previous`."""
    body = [seq, run, at, type(event).__name__, to_json(event)]
    return Entry(seq, run, at, event, previous, digest_of([previous, body]))


def encode(entry: Entry) -> str:
    """Return an entry as one line of canonical JSON: what hosts keep and exports hold."""
    kind, body = type(entry.event).__name__, to_json(entry.event)
    return canonical(
        {
            "seq": entry.seq,
            "run": entry.run,
            "at": entry.at,
            "event": kind,
            "body": body,
            "previous": entry.previous,
            "hash": entry.hash,
        }
    )


def decode(line: dict[str, object]) -> Entry:
    """Rebuild an entry from its JSON, whether or not its hash holds."""
    kind = EVENTS.get(str(line["event"]))
    if kind is None:
        raise InvalidInput(
            f"the journal has an event this version does not know: {line['event']}",
            "use the version of changeover that wrote it, or a newer one",
        )
    event: Event = from_json(kind, line["body"])
    run, at = str(line["run"]), str(line["at"])
    return Entry(int(str(line["seq"])), run, at, event, str(line["previous"]), str(line["hash"]))


def verify_chain(entries: Iterable[Entry]) -> Entry | None:
    """Return the last entry of an unbroken chain from the start; raise `Tampered` otherwise."""
    last: Entry | None = None
    for entry in entries:
        previous = last.hash if last else GENESIS
        right = chain(entry.seq, entry.run, entry.at, entry.event, previous)
        if entry.seq != (last.seq + 1 if last else 1) or entry != right:
            raise Tampered(
                f"the journal is broken at entry {entry.seq}: it was edited, cut or re-ordered",
                "compare with the copies on the hosts: changeover audit verify",
            )
        last = entry
    return last


def holds(entry: Entry) -> bool:
    """Say whether an entry is what its hash says."""
    return chain(entry.seq, entry.run, entry.at, entry.event, entry.previous) == entry


def held(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield entries that are what their hashes say; raise `Tampered` at one that is not."""
    for entry in entries:
        if not holds(entry):
            raise Tampered(
                f"the journal is damaged at entry {entry.seq}: it is not what was written",
                "the hosts have a copy: move the journal away, then: changeover takeover",
            )
        yield entry


def utc_now() -> str:
    """Return the time as entries show it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


Follower = Callable[[Entry], None]


class Journal:
    """The journal of one run: appends, folds, and tells whoever follows."""

    def __init__(self, store: EntryStore, run: str, followers: tuple[Follower, ...] = ()) -> None:
        self.run, self._store, self._followers = run, store, list(followers)
        self.state = RunState()
        self._lock = threading.Lock()
        self._head = store.head()
        for entry in held(store.entries(run)):
            self.state.take(entry)

    def follow(self, follower: Follower) -> None:
        """Tell this one, too, of every entry from now on, after it is safe."""
        self._followers.append(follower)

    def catch_up(self) -> None:
        """Take what another process appended meanwhile; to be done once the lock is held."""
        with self._lock:
            # From the start: of what was known, something may have been set aside.
            self.state = RunState()
            for entry in held(self._store.entries(self.run)):
                self.state.take(entry)
            self._head = self._store.head()

    def append(self, event: Event) -> Entry:
        """Keep an event for good, in order, before anything it announces happens."""
        with self._lock:
            seq, previous = (self._head.seq, self._head.hash) if self._head else (0, GENESIS)
            entry = chain(seq + 1, self.run, utc_now(), event, previous)
            self._store.add(entry, encode(entry))
            self._head = entry
            self.state.take(entry)
            for follower in self._followers:
                follower(entry)
        return entry
