"""One run at a time, on one machine and on many; a lost machine's run goes on elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from changeover.engine.audit import verify
from changeover.engine.finalize import finalize
from changeover.engine.flow import Flow
from changeover.engine.journal import Journal
from changeover.engine.lock import InstanceLock, StoreLock, holder_here
from changeover.engine.store import Store
from changeover.engine.takeover import fetch
from changeover.errors import ActionFailed, Fenced, LockHeld, NotReady, Tampered
from changeover.model import events as ev
from changeover.model.findings import Severity
from changeover.model.state import Stage
from tests.crash.test_crash import in_a_process_of_its_own
from tests.engine.world import World, effect, write


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.release("1.0", [write("app.conf"), effect("first"), effect("second")])
    return world


def another_machine(world: World) -> World:
    """The same instance in another folder, with a store of its own."""
    other = World(world.root)
    folder = world.root / "laptop-two"
    shutil.copytree(world.instance, folder, ignore=shutil.ignore_patterns(".changeover"))
    other.folder = folder
    return other


def test_a_second_run_here_is_refused_and_told_who_holds_it(world: World) -> None:
    store = Store(world.instance / ".changeover")
    held = StoreLock(store.folder)
    held.take(holder_here(store.identity, "r0", "alice"))

    with pytest.raises(LockHeld, match=r"alice on .* is at work"):
        world.apply()

    held.release()
    store.close()
    assert world.effects() == []


def test_a_run_on_another_machine_is_refused_while_the_lease_lasts(world: World) -> None:
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    other = another_machine(world)

    with flow.holding(), pytest.raises(LockHeld, match=r"tester on .* for another \d+ s"):
        other.apply()

    session.close()
    fetched = other.session()
    with pytest.raises(NotReady, match="no run of this instance has begun"):
        fetch(fetched)
    fetched.close()
    other.apply()
    assert len(world.effects()) == 4


def test_the_lock_of_a_killed_run_is_free_at_once_on_the_same_machine(world: World) -> None:
    def hold_and_die() -> None:
        flow = Flow(world.session(), "r1", world.operator)
        with flow.holding():
            os.kill(os.getpid(), signal.SIGKILL)

    in_a_process_of_its_own(hold_and_die)
    started = time.monotonic()
    world.apply(run="r2")

    assert time.monotonic() - started < 20
    assert len(world.effects()) == 4


def test_who_lost_the_lock_does_nothing_more(world: World) -> None:
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    thief = another_machine(world).session()

    def steal(entry: ev.Entry) -> None:
        if isinstance(entry.event, ev.StepDone) and entry.event.key == "1.0/first@one":
            for transport in thief.transports.values():
                transport.lock_take(99, "thief", 30, force=True)

    flow.journal.follow(steal)
    with pytest.raises(Fenced):
        flow.begin(session.plan(world.request(session)))
    session.close()
    thief.close()

    assert not [e for e in world.effects() if e.startswith("second")]


def test_another_machine_takes_a_lost_run_over(world: World) -> None:
    def die_in_the_middle() -> None:
        session = world.session()
        flow = Flow(session, "r1", world.operator)
        flow.journal.follow(lambda e: _die_after(e, "1.0/first@two"))
        flow.begin(session.plan(world.request(session)))

    in_a_process_of_its_own(die_in_the_middle)
    other = another_machine(world)
    session = other.session()
    run = fetch(session)
    flow = Flow(session, run, other.operator)
    flow.take_over(wait=True, force=True)
    session.close()

    assert flow.state.stage is Stage.DONE
    assert Counter(world.effects()) == Counter(
        ["first one", "first two", "second one", "second two"]
    )


def _die_after(entry: ev.Entry, key: str) -> None:
    if isinstance(entry.event, ev.StepDone) and entry.event.key == key:
        os.kill(os.getpid(), signal.SIGKILL)


def test_there_is_nothing_to_take_over_from_hosts_that_saw_no_run(world: World) -> None:
    session = world.session()

    with pytest.raises(NotReady, match="remember no run"):
        fetch(session)

    session.close()


def test_a_finished_run_is_not_taken_over(world: World) -> None:
    world.apply()
    session = another_machine(world).session()

    with pytest.raises(NotReady, match="nothing to take over"):
        fetch(session)

    assert Journal(session.store, "r1").state.stage is Stage.DONE
    session.close()


def test_who_only_looks_whether_somebody_is_at_work_keeps_nobody_out(tmp_path: Path) -> None:
    over = threading.Event()
    onlooker = StoreLock(tmp_path)

    def look() -> None:
        while not over.is_set():
            onlooker.shown()

    watching = threading.Thread(target=look)
    watching.start()
    try:
        for number in range(300):
            held = StoreLock(tmp_path)
            held.take(holder_here("store", f"r{number}", "alice"))
            held.release()
    finally:
        over.set()
        watching.join()


class Answering:
    """A host whose lease can be renewed."""

    def __init__(self) -> None:
        self.renewed = threading.Event()

    def lock_take(self, *_: object, **__: object) -> None:
        return

    def lock_release(self) -> None:
        return

    def lock_renew(self) -> None:
        self.renewed.set()


class Away(Answering):
    """A host that does not answer before all is over."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__()
        self.over = over

    def lock_renew(self) -> None:
        self.over.wait(30)


def test_a_host_that_is_away_does_not_let_the_leases_of_others_lapse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.engine.lock.RENEW_EVERY", 0.01)
    over, there = threading.Event(), Answering()
    hosts: Any = {"away": Away(over), "there": there}
    lock = InstanceLock(tmp_path, hosts, holder_here("store", "r1", "alice"))

    lock.take(1)
    renewed = there.renewed.wait(10)
    over.set()
    lock.release()

    assert renewed


def test_a_run_with_a_plan_longer_than_a_read_file_is_taken_over(world: World) -> None:
    """Also where a process after it took no more than the lock."""
    world.release("1.0", [write("app.conf", "line\n" * 200_000), effect("boom", "exit 1")])
    with pytest.raises(ActionFailed):
        world.apply()
    session = world.session()
    with Flow(session, "r2", world.operator).holding():
        pass
    session.close()
    session = another_machine(world).session()

    run = fetch(session)

    assert run == "r1"
    assert Flow(session, run, world.operator).plan().target == "1.0"
    session.close()


def test_a_colleague_goes_on_where_the_last_run_ended(world: World) -> None:
    world.apply()
    accept(world, "r1")
    colleague = another_machine(world)
    world.release("1.1", [write("app.conf")], **{"from": ">=1.0,<1.1"})

    colleague.apply(run="r2")
    world.release("1.2", [write("app.conf")], **{"from": ">=1.1,<1.2"})
    world.apply(run="r3")

    assert (world.root / "one/app.conf").read_text() == "new 1.2"
    session = world.session()
    assert {finding.severity for finding in verify(session)} == {Severity.PASS}
    assert session.store.runs() == ["r1", "r2", "r3"]
    session.close()


def test_a_machine_behind_a_colleague_is_not_called_tampered_with(world: World) -> None:
    world.apply()
    accept(world, "r1")
    world.release("1.1", [write("app.conf")], **{"from": ">=1.0,<1.1"})
    another_machine(world).apply(run="r2")
    session = world.session()

    findings = list(verify(session))

    assert Severity.FAIL not in {finding.severity for finding in findings}
    assert any("written from another machine" in finding.message for finding in findings)
    session.close()


def test_a_store_cut_behind_a_colleagues_entries_is_tampered_with(world: World) -> None:
    world.apply()
    accept(world, "r1")
    world.release("1.1", [write("app.conf")], **{"from": ">=1.0,<1.1"})
    another_machine(world).apply(run="r2")
    session = world.session()
    with sqlite3.connect(world.instance / ".changeover/journal.db") as db:
        db.execute("delete from entry where run = 'r1' and seq > 3")
    db.close()

    with pytest.raises(Tampered, match="which the store lacks"):
        list(verify(session))
    session.close()


def test_nobody_begins_beside_a_run_another_machine_left_open(world: World) -> None:
    world.release("1.0", [effect("boom", "exit 1")])
    with pytest.raises(ActionFailed):
        world.apply()

    with pytest.raises(NotReady, match="begun on another machine, is failed"):
        another_machine(world).apply(run="r2")


def accept(world: World, run: str) -> None:
    session = world.session()
    finalize(Flow(session, run, world.operator))
    session.close()
