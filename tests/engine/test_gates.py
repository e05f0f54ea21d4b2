"""Gates of several hosts, and answers that hold for what was asked and for nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from changeover.actions.base import Action
from changeover.engine.flow import Flow
from changeover.errors import GateClosed
from changeover.hosts.command import command
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.plan import Change, Effect
from changeover.model.state import Stage
from tests.engine.world import World, effect, write


def edited_by(host: str, words: str, root: Path) -> str:
    return f"echo {words} > {root}/{host}/app.conf"


def test_one_resume_asks_the_approval_of_every_host(world: World) -> None:
    world.release("1.0", [effect("sure", approval="Backup taken?")])

    with pytest.raises(GateClosed):
        world.apply()

    assert set(world.state().gates) == {("1.0/sure@one", "approval"), ("1.0/sure@two", "approval")}


def test_each_of_two_hosts_that_moved_waits_for_its_own_answer(world: World) -> None:
    root = world.root
    first = effect("first", edited_by("one", "edited", root), on="one")
    second = effect("second", edited_by("two", "edited", root), on="two")
    world.release("1.0", [first, second, write("app.conf")])
    with pytest.raises(GateClosed):
        world.apply()
    waiting = world.state()

    world.state(ev.GateOpened("1.0/app.conf@one", "drift", "tester"))

    assert len(waiting.gates) == 2
    left = world.state()
    assert left.stage is Stage.WAITING
    assert left.waiting is not None
    assert left.waiting.key == "1.0/app.conf@two"


def test_a_yes_to_one_edit_is_no_yes_to_the_next(world: World) -> None:
    edit = effect("first", edited_by("one", "edited", world.root), on="one")
    world.release("1.0", [edit, write("app.conf", on="one")])
    with pytest.raises(GateClosed):
        world.apply()
    world.state(ev.GateOpened("1.0/app.conf@one", "drift", "tester"))
    (world.root / "one/app.conf").write_text("edited once more\n")

    with pytest.raises(GateClosed):
        world.resume()

    assert (world.root / "one/app.conf").read_text() == "edited once more\n"


def test_what_changes_while_somebody_thinks_is_seen(world: World) -> None:
    edit = effect("first", edited_by("one", "edited", world.root), on="one")
    world.release("1.0", [edit, write("app.conf", on="one")])
    asked: list[ev.GateReached] = []

    def opens(gate: ev.GateReached) -> str | None:
        asked.append(gate)
        if len(asked) > 1:
            return None
        (world.root / "one/app.conf").write_text("edited meanwhile\n")
        return "yes"

    world.operator.opens = opens  # type: ignore[method-assign]

    with pytest.raises(GateClosed):
        world.apply()

    assert (world.root / "one/app.conf").read_text() == "edited meanwhile\n"


@dataclass(frozen=True)
class Asking(Action):
    """Asks before it runs a command."""

    name: ClassVar[str] = "asking"

    def plan(self, host: Host) -> Change:
        return Change(Effect.RUN, "ask", question="Sure?")

    def apply(self, host: Host, change: Change) -> None:
        host.do(command("true"))

    def verify(self, host: Host, change: Change) -> None:
        return


def test_the_time_somebody_thinks_is_not_the_steps(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.release("1.0", [effect("ask", on="one", timeout=30)])
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    flow.crew = replace(flow.crew, action=lambda step, host: Asking())
    clock = time.monotonic

    def opens(gate: ev.GateReached) -> str | None:
        monkeypatch.setattr(time, "monotonic", lambda: clock() + 60)
        return "after lunch"

    world.operator.opens = opens  # type: ignore[method-assign]

    flow.begin(session.plan(world.request(session)))
    session.close()

    assert world.state().stage is Stage.DONE
