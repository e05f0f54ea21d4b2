"""An undo that would lose something asks before its first step; what runs still serves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from changeover.actions.base import Action
from changeover.engine.flow import Flow, Undone
from changeover.engine.runs import refuse_open_run
from changeover.engine.store import Store
from changeover.engine.takeover import fetch
from changeover.errors import GateClosed
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.plan import Change, Effect, PlannedStep
from changeover.model.state import Stage
from tests.engine.world import World, effect, write

GATE = ("undo:1.0/app.conf@one", "loss")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A platform whose upgrade fails after somebody edited what it wrote."""
    world = World(tmp_path)
    edit = f"echo edited > {tmp_path}/one/app.conf; test -e {tmp_path}/mended"
    world.release(
        "1.0",
        [
            effect("stop", phase="stop", on="one"),
            write("app.conf", on="one"),
            effect("late", edit, phase="start", on="one", back=False, undo="nothing"),
        ],
    )
    return world


def approving(world: World, *steps: str) -> None:
    world.operator.approved = frozenset(steps)


def test_without_an_answer_nothing_is_taken_back(world: World) -> None:
    with pytest.raises(GateClosed, match="changed since the run; lose that") as closed:
        world.apply(on_failure="undo")

    assert "changeover undo --approve app.conf; or mend" in closed.value.remedy
    assert world.effects() == ["stop one", "late one"]
    assert (world.state().stage, world.state().undo) == (Stage.WAITING, None)
    assert world.state().asked_before_undo() == [GATE[0]]


def test_a_yes_given_beforehand_goes_back_at_once(world: World) -> None:
    approving(world, "app.conf")

    with pytest.raises(Undone):
        world.apply(on_failure="undo")

    assert not (world.root / "one/app.conf").exists()
    assert world.state().stage is Stage.UNDONE


def test_a_yes_to_all_approvals_accepts_no_loss(world: World) -> None:
    approving(world, "all")

    with pytest.raises(GateClosed):
        world.apply(on_failure="undo")


def test_an_undo_that_waits_may_be_told_yes_afterwards(world: World) -> None:
    with pytest.raises(GateClosed):
        world.apply(on_failure="undo")
    approving(world, "app.conf")

    world.undo()

    assert world.state().stage is Stage.UNDONE


def test_a_gate_that_was_approved_is_not_asked_again(world: World) -> None:
    with pytest.raises(GateClosed):
        world.apply(on_failure="undo")
    world.state(ev.GateOpened(*GATE, "tester"))

    world.undo()

    assert world.state().stage is Stage.UNDONE


def test_an_undo_that_waits_leaves_the_run_to_be_mended(world: World) -> None:
    with pytest.raises(GateClosed):
        world.apply(on_failure="undo")
    (world.root / "mended").touch()

    world.resume(on_failure="undo")

    assert world.effects() == ["stop one", "late one", "late one"]
    assert world.state().stage is Stage.DONE


def test_a_run_that_ended_well_stays_so_where_its_undo_is_refused(world: World) -> None:
    (world.root / "mended").touch()
    world.apply()

    with pytest.raises(GateClosed) as closed:
        world.undo()

    assert "resume" not in closed.value.remedy
    assert world.state().stage is Stage.DONE
    store = Store(world.instance / ".changeover")
    refuse_open_run(store)
    store.close()


def test_killed_while_it_asks_an_undo_has_not_begun(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(gate: ev.GateReached) -> str | None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.operator, "opens", killed)
        with pytest.raises(KeyboardInterrupt):
            world.apply(on_failure="undo")

    assert world.state().undo is None
    assert world.effects() == ["stop one", "late one"]
    (world.root / "mended").touch()
    world.resume()
    assert world.state().stage is Stage.DONE


def test_taken_over_while_it_asks_a_run_goes_on_and_can_be_undone(world: World) -> None:
    with pytest.raises(GateClosed):
        world.apply(on_failure="undo")
    (world.instance / ".changeover").rename(world.root / "lost")
    (world.root / "mended").touch()

    session = world.session()
    Flow(session, fetch(session), world.operator).take_over(wait=True, force=True)
    session.close()
    done = world.state().stage
    approving(world, "app.conf")
    world.undo()

    assert (done, world.state().stage) == (Stage.DONE, Stage.UNDONE)


def test_every_loss_is_asked_for_before_the_run_stops(world: World) -> None:
    edit = f"for h in one two; do echo edited > {world.root}/$h/app.conf; done; false"
    late = effect("late", edit, on="one", phase="start", back=False, undo="nothing")
    world.release("1.0", [write("app.conf"), late])

    with pytest.raises(GateClosed) as closed:
        world.apply(on_failure="undo")

    assert len(world.state().gates) == 2
    assert closed.value.remedy.count("--approve") == 1


def test_what_a_later_step_of_the_run_wrote_is_no_loss(world: World) -> None:
    again = write("app.conf", "once more", on="one")
    again["id"] = "again"
    broken = effect("late", "false", on="one", phase="start", back=False, undo="nothing")
    world.release("1.0", [write("app.conf", on="one"), again, broken])

    with pytest.raises(Undone):
        world.apply(on_failure="undo")

    assert world.state().opened == {}


@dataclass(frozen=True)
class Rows(Action):
    """Has rows in a file, which an undo drops."""

    name: ClassVar[str] = "rows"
    rows: Path

    def plan(self, host: Host) -> Change:
        return Change(Effect.RUN, "open")

    def apply(self, host: Host, change: Change) -> None:
        self.rows.write_text("3")

    def verify(self, host: Host, change: Change) -> None:
        return

    def plan_undo(self, host: Host, change: Change) -> Change:
        rows = int(self.rows.read_text())
        if not rows:
            return Change(Effect.NONE, "nothing is there")
        losses = {"orders": rows}
        return Change(Effect.RUN, "drop", question=f"{rows} rows?", losses=losses)

    def undo(self, host: Host, change: Change) -> None:
        self.rows.write_text("0")


@pytest.mark.parametrize(("later", "questions"), [("5", 2), ("2", 1), ("3", 1)])
def test_what_was_written_after_the_yes_is_asked_for_where_it_grew(
    world: World, later: str, questions: int
) -> None:
    rows, asked = world.root / "rows", list[str]()

    def opens(gate: ev.GateReached) -> str | None:
        asked.append(gate.question)
        rows.write_text(later)
        return "yes"

    def action(step: PlannedStep, host: Host) -> Action:
        return Rows(rows)

    world.operator.opens = opens  # type: ignore[method-assign]
    world.release("1.0", [effect("open", on="one")])
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    flow.crew = replace(flow.crew, action=action)
    flow.begin(session.plan(world.request(session)))
    flow.go_back("tested")
    session.close()

    assert asked == ["3 rows?", f"{later} rows?"][:questions]
    assert rows.read_text() == "0"


def test_a_yes_covers_no_more_than_it_was_given_for() -> None:
    asked = ev.GateReached("k", "loss", "3 rows?", {"orders": 3})

    assert asked.covers(ev.GateReached("k", "loss", "2 rows?", {"orders": 2}))
    assert not asked.covers(ev.GateReached("k", "loss", "2 rows?", {"users": 2}))
    assert not asked.covers(ev.GateReached("k", "loss", "nobody knows; go on?"))
