"""The way back from what failed, was passed over, or cannot be known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from changeover.actions.base import Action
from changeover.engine.flow import Flow
from changeover.engine.journal import Journal
from changeover.engine.store import Store
from changeover.errors import ActionFailed, InDoubt, Unreachable
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.plan import Change, Effect
from changeover.model.state import RunState, Stage, Status
from tests.engine.world import World, effect, write


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def state(world: World, run: str = "r1") -> RunState:
    store = Store(world.instance / ".changeover")
    try:
        return Journal(store, run).state
    finally:
        store.close()


@dataclass(frozen=True)
class Mail(Action):
    """Sends a mail over a connection that is cut before the answer."""

    name: ClassVar[str] = "mail.send"
    repeatable: ClassVar[bool] = False
    log: Path

    def plan(self, host: Host) -> Change:
        return Change(Effect.RUN, "send a mail")

    def apply(self, host: Host, change: Change) -> None:
        with self.log.open("a") as log:
            log.write("sent\n")
        raise Unreachable(f"{host.name}: the connection was lost")

    def verify(self, host: Host, change: Change) -> None:
        return


def test_what_must_not_be_repeated_is_in_doubt_after_a_cut_not_sent_twice(world: World) -> None:
    world.release("1.0", [effect("mail", on="one")])
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    flow.crew = replace(flow.crew, action=lambda step, host: Mail(log=world.log))

    with pytest.raises(InDoubt):
        flow.begin(session.plan(world.request(session)))
    session.close()

    assert world.effects() == ["sent"]
    assert state(world).of("1.0/mail@one") is Status.IN_DOUBT


def test_a_step_that_failed_before_it_started_does_not_stand_in_the_way_back(world: World) -> None:
    broken = world.root / "one/conf.d"
    edit = effect("first", f"mkdir -p {broken}/app", on="one")
    late = write("late", on="one")
    late["with"]["path"] = f"{broken}/app"
    world.release("1.0", [edit, late])
    with pytest.raises(ActionFailed):
        world.apply()

    world.undo()

    assert "1.0/late@one" not in state(world).changes
    assert state(world).stage is Stage.UNDONE


def test_what_failed_half_way_and_was_passed_over_is_taken_back_too(world: World) -> None:
    world.release("1.0", [effect("half", "exit 1", on="one"), effect("next", on="one")])
    with pytest.raises(ActionFailed):
        world.apply()
    store = Store(world.instance / ".changeover")
    Journal(store, "r1").append(ev.StepSkipped("1.0/half@one", "by hand", "tester"))
    store.close()
    world.resume()

    world.undo()

    assert world.effects() == ["half one", "next one", "undo-next one", "undo-half one"]


def test_an_undo_that_fails_is_no_reason_to_undo_the_undo(world: World) -> None:
    broken = world.root / "broken"
    broken.touch()
    first = effect("first", on="one")
    first["with"]["undo_script"] = f"test ! -e {broken}"
    world.release("1.0", [first, effect("boom", "exit 1", on="one")])

    with pytest.raises(ActionFailed):
        world.apply(on_failure="undo")
    failed = state(world)
    broken.unlink()
    world.resume(on_failure="undo")

    assert failed.of("undo:1.0/first@one") is Status.FAILED
    assert state(world).stage is Stage.UNDONE
