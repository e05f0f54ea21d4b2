"""Continue a run whose machine is lost, from what its hosts remember."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence

from changeover.engine.broadcast import Copy, copies_of, undamaged
from changeover.engine.journal import GENESIS, chain, encode
from changeover.engine.session import Session
from changeover.errors import NotReady, Tampered
from changeover.hosts.command import command
from changeover.model import events as ev
from changeover.model.codec import digest_of
from changeover.model.state import RunState, replay


def fetch(session: Session) -> str:
    """Bring the hosts' journal and plans into this store; return the run that is open.

    Every host has every entry that was announced before its last effect. Entries that never left
    the lost machine are about outcomes; resuming probes those again.
    """
    entries = _union(copies_of(session.transports), {})
    if not entries:
        raise NotReady("the hosts remember no run of this instance", "changeover history")
    _import(session, entries)
    state = _last_begun(entries)
    _fetch_plans(session, entries, "" if state.stage.ended else state.run)
    if state.stage.ended:
        raise NotReady(
            f"the last run, {state.run}, is {state.stage}: there is nothing to take over",
            "its journal is here now: changeover history, changeover plan",
        )
    return state.run


def learn(session: Session, own: str, copies: Sequence[Copy]) -> None:
    """Take in what colleagues did from other machines since; refuse to go on beside an open run.

    Entries go on one chain, whoever writes them: each store first learns what the hosts remember.
    """
    known = {entry.seq: entry.hash for entry in session.store.entries()}
    entries = _union(copies, known)
    if all(known.get(entry.seq) == entry.hash for entry in entries):
        return
    _import(session, entries)
    state = next(iter(_begun(entries)), None)
    if state and not state.stage.ended and state.run != own:
        raise NotReady(
            f"run {state.run}, begun on another machine, is {state.stage}",
            "continue it from here: changeover takeover",
        )


def _last_begun(entries: list[ev.Entry]) -> RunState:
    for state in _begun(entries):
        return state
    raise NotReady("no run of this instance has begun", "changeover plan")


def _begun(entries: list[ev.Entry]) -> Iterator[RunState]:
    """Yield the runs that began, the last one first."""
    for run in dict.fromkeys(entry.run for entry in reversed(entries)):
        state = replay(entry for entry in entries if entry.run == run)
        if state.started:
            yield state


def _union(copies: Sequence[Copy], known: Mapping[int, str]) -> list[ev.Entry]:
    found: dict[int, ev.Entry] = {}
    for copy in copies:
        for entry in undamaged(copy, known):
            other = found.setdefault(entry.seq, entry)
            if other.hash != entry.hash:
                raise Tampered(
                    f"the hosts disagree on entry {entry.seq}",
                    "two stores wrote to the same instance: changeover audit verify on each",
                )
    return [found[seq] for seq in sorted(found)]


def _refuse_gaps(entries: list[ev.Entry]) -> None:
    previous = GENESIS
    for number, entry in enumerate(entries, 1):
        right = chain(entry.seq, entry.run, entry.at, entry.event, previous)
        if entry.seq != number or entry != right:
            raise Tampered(
                f"the hosts' copies are broken at entry {number}",
                "reach all hosts of the instance, then try again",
            )
        previous = entry.hash


def _import(session: Session, entries: list[ev.Entry]) -> None:
    _refuse_gaps(entries)
    known = {entry.seq: entry for entry in session.store.entries()}
    for entry in entries:
        ours = known.get(entry.seq)
        if ours and _is_overtaken(entry, known, session.store.identity):
            session.store.set_aside(entry.seq)
            known = {seq: old for seq, old in known.items() if seq < entry.seq}
            ours = None
        if ours is None:
            session.store.add(entry, encode(entry))
        elif ours.hash != entry.hash:
            raise Tampered(
                f"this store has another entry {entry.seq} than the hosts: "
                "another machine worked on this instance",
                "take over with an empty store: CHANGEOVER_STATE=FOLDER changeover takeover",
            )


def _is_overtaken(theirs: ev.Entry, known: Mapping[int, ev.Entry], identity: str) -> bool:
    """Say whether another machine took the lock here, and what we wrote since was written without.

    A process learns that its lock was taken when it next speaks to a host; the outcome of a step it
    waited for is written down before that.
    """
    before, event = known.get(theirs.seq - 1), theirs.event
    if known[theirs.seq].hash == theirs.hash or before is None or before.hash != theirs.previous:
        return False
    if not isinstance(event, ev.LockTaken) or event.store in ("", identity):
        return False
    tail = [entry.event for seq, entry in known.items() if seq >= theirs.seq]
    return not any(isinstance(one, ev.LockTaken | ev.RunStarted) for one in tail)


def _fetch_plans(session: Session, entries: list[ev.Entry], needed: str) -> None:
    """Fetch every plan there still is: `finalize` drops them, and the open run's must be there."""
    for entry in entries:
        if isinstance(entry.event, ev.RunStarted | ev.HopStarted | ev.UndoStarted):
            digest = entry.event.plan
            try:
                session.store.save_plan(digest, _plan_from_hosts(session, digest))
            except NotReady:
                if entry.run == needed:
                    raise


def _plan_from_hosts(session: Session, digest: str) -> object:
    for host in session.hosts.values():
        # Not by `read`: the plan of many hosts is longer than a file it gives.
        found = host.ask(command("cat", "--", f"{host.state_dir}/plans/{digest}.json"))
        with contextlib.suppress(ValueError):
            plan = json.loads(found.stdout)
            if digest_of(plan) == digest:
                return plan
    raise NotReady(f"no host keeps the plan {digest[:12]}", "the run cannot be taken over")
