"""A run killed with SIGKILL at any point goes on: nothing is lost, nothing is repeated."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from changeover.engine.journal import Journal, verify_chain
from changeover.engine.store import Store
from changeover.model.events import Entry
from changeover.model.state import RunState, Stage
from tests.engine.world import World, effect, write

STEPS = [
    write("before.conf", phase="prepare"),
    effect("stop-it", phase="stop"),
    write("app.conf"),
    effect("start-it", phase="start"),
]
ASKING_ENTRIES = 7
"""Entries of an undo from its lock to its first step: question, answer and beginning among them."""
DONE = {f"{step} {host}" for step in ("stop-it", "start-it") for host in ("one", "two")}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    (tmp_path / "one/app.conf").write_text("old, edited here\n")
    (tmp_path / "one/app.conf").chmod(0o640)
    world.release("1.0", STEPS)
    return world


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """Run something in a forked process group; return how it ended (negative: a signal)."""
    child = os.fork()
    if not child:
        os.setsid()
        code = 70
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


class DyingStore:
    """Kills the whole process group before or after the nth entry is kept."""

    def __init__(self, at: int, *, kept: bool) -> None:
        self.left, self.kept = at, kept

    def install(self) -> None:
        whole = Store.add

        def add(store: Store, entry: Entry, body: str) -> None:
            self.left -= 1
            if self.left == 0 and not self.kept:
                die()
            whole(store, entry, body)
            if self.left == 0:
                die()

        Store.add = add  # type: ignore[method-assign,assignment]  # in a child only


def dying(at: int, kept: bool, work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        DyingStore(at, kept=kept).install()
        work()

    return run


def state_of(world: World) -> RunState:
    store = Store(world.instance / ".changeover")
    try:
        verify_chain(store.entries())
        return Journal(store, "r1").state
    finally:
        store.close()


def kept(world: World) -> int:
    with closing(Store(world.instance / ".changeover")) as store:
        return len(list(store.entries()))


def entries_of_a_whole_run(tmp_path: Path, *, back: bool = False) -> int:
    world = World(tmp_path)
    world.release("1.0", STEPS)
    world.apply()
    before = kept(world)
    if not back:
        return before
    world.undo()
    return kept(world) - before


def finish(world: World) -> None:
    """Go on as an operator would after a crash."""
    state = state_of(world)
    if not state.started:
        world.apply()
    elif not state.stage.ended:
        world.resume()


def assert_done_once(world: World) -> None:
    assert state_of(world).stage is Stage.DONE
    assert Counter(world.effects()) == Counter(DONE)
    assert (world.root / "one/app.conf").read_text() == "new 1.0"


def moments(tmp_path_factory: pytest.TempPathFactory, *, back: bool = False) -> range:
    folder = tmp_path_factory.mktemp("whole")
    return range(1, entries_of_a_whole_run(folder, back=back) + 1)


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_killed_around_every_entry_a_run_goes_on(
    kept: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for at in moments(tmp_path_factory):
        world = fresh(tmp_path_factory)

        code = in_a_process_of_its_own(dying(at, kept, world.apply))
        finish(world)

        assert code == -signal.SIGKILL, at
        assert_done_once(world)


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_killed_around_every_entry_a_run_can_be_undone(
    kept: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for at in moments(tmp_path_factory)[2:]:
        world = fresh(tmp_path_factory)
        before = world.tree()

        in_a_process_of_its_own(dying(at, kept, world.apply))
        if not state_of(world).started:
            continue
        world.undo()

        assert world.tree() == before, at
        assert_undone_pairwise(world)


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_killed_around_every_entry_an_undo_goes_on_undoing(
    kept: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for at in moments(tmp_path_factory, back=True):
        world = fresh(tmp_path_factory)
        before = world.tree()
        world.apply()

        in_a_process_of_its_own(dying(at, kept, world.undo))
        state = state_of(world)
        if not state.stage.ended or state.stage is Stage.DONE:
            world.undo()

        assert world.tree() == before, at
        assert state_of(world).stage is Stage.UNDONE
        assert_undone_pairwise(world)


@pytest.mark.parametrize("kept", [False, True], ids=["before", "after"])
def test_killed_around_every_entry_an_undo_that_asks_first_takes_all_back_or_nothing(
    kept: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for at in range(1, ASKING_ENTRIES):
        world = fresh(tmp_path_factory)
        before = world.tree()
        world.apply()
        (world.root / "one/app.conf").write_text("edited since\n")
        edited = world.tree()
        world.operator.approved = frozenset({"app.conf"})

        in_a_process_of_its_own(dying(at, kept, world.undo))
        state = state_of(world)
        assert state.undo or world.tree() == edited, at
        world.undo()

        assert world.tree() == before, at
        assert_undone_pairwise(world)


def test_killed_inside_an_effect_its_outcome_is_found_again(world: World) -> None:
    kill = f'kill -s KILL -- -"$(cat {world.root}/group)" 2>/dev/null || true'
    world.release("1.0", [effect("slow", f"{kill}; sleep 0.3; echo end >> {world.log}")])

    def apply() -> None:
        (world.root / "group").write_text(str(os.getpgrp()))
        world.apply()

    code = in_a_process_of_its_own(apply)
    (world.root / "group").write_text("999999999")
    finish(world)

    assert code == -signal.SIGKILL
    assert state_of(world).stage is Stage.DONE
    assert Counter(world.effects()) == Counter(["slow one", "slow two", "end", "end"])


def assert_undone_pairwise(world: World) -> None:
    """Whatever happened was taken back exactly once; nothing happened twice."""
    counts = Counter(world.effects())
    assert set(counts.values()) <= {1}, counts
    assert {e.removeprefix("undo-") for e in counts if e.startswith("undo-")} >= {
        e for e in counts if not e.startswith("undo-")
    }, counts


def fresh(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    (world.root / "one/app.conf").write_text("old, edited here\n")
    world.release("1.0", STEPS)
    return world
