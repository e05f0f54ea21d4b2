"""The way back from what failed, was passed over, or cannot be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from changeover.actions.base import Action
from changeover.engine.flow import Flow, Undone
from changeover.engine.operator import Stopped
from changeover.engine.runs import last_run
from changeover.engine.store import Store
from changeover.errors import (
    ActionFailed,
    InDoubt,
    NotReady,
    Unreachable,
)
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.plan import Change, Effect, PlannedStep
from changeover.model.state import Stage, Status
from tests.engine.world import World, effect, write


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
    assert world.state().of("1.0/mail@one") is Status.IN_DOUBT


def test_a_step_that_failed_before_it_started_does_not_stand_in_the_way_back(world: World) -> None:
    broken = world.root / "one/conf.d"
    edit = effect("first", f"mkdir -p {broken}/app", on="one")
    late = write("late", on="one")
    late["with"]["path"] = f"{broken}/app"
    world.release("1.0", [edit, late])
    with pytest.raises(ActionFailed):
        world.apply()

    world.undo()

    assert "1.0/late@one" not in world.state().changes
    assert world.state().stage is Stage.UNDONE


def test_what_failed_half_way_and_was_passed_over_is_taken_back_too(world: World) -> None:
    world.release("1.0", [effect("half", "exit 1", on="one"), effect("next", on="one")])
    with pytest.raises(ActionFailed):
        world.apply()
    world.state(ev.StepSkipped("1.0/half@one", "by hand", "tester"))
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
    failed = world.state()
    broken.unlink()
    world.resume(on_failure="undo")

    assert failed.of("undo:1.0/first@one") is Status.FAILED
    assert world.state().stage is Stage.UNDONE


def test_a_platform_that_does_not_answer_afterwards_is_a_failure_like_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.engine.proof.WITHIN", 0.0)
    world.release("1.0", [write("app.conf")])
    file = world.instance / "instance.yaml"
    file.write_text(file.read_text() + "endpoints: [{name: site, url: 'http://127.0.0.1:1/'}]\n")
    before = world.tree()

    with pytest.raises(Undone):
        world.apply(on_failure="undo")

    assert world.tree() == before


def test_a_proof_that_failed_can_be_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeover.engine.proof.WITHIN", 0.0)
    world.release("1.0", [write("app.conf")])
    file = world.instance / "instance.yaml"
    file.write_text(file.read_text() + "endpoints: [{name: site, url: 'http://127.0.0.1:1/'}]\n")

    with pytest.raises(ActionFailed, match="does not answer"):
        world.apply()
    stopped = world.state()
    world.state(ev.StepSkipped("1.0/proof", "known", "tester"))
    world.resume()

    assert stopped.stage is Stage.FAILED
    assert world.state().stage is Stage.DONE


def test_a_run_that_others_built_on_is_not_undone_before_them(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()
    world.release("1.1", [write("app.conf")])
    world.apply(run="r2")

    with pytest.raises(NotReady, match="run r2 came after r1"):
        world.undo("r1")
    world.undo("r2")
    world.undo("r1")

    assert world.tree() == {}


def test_a_run_that_only_took_the_lock_hides_no_other(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()
    session = world.session()
    with Flow(session, "r2", world.operator).holding():
        pass

    assert last_run(session.store) == "r1"
    session.close()


def test_a_request_to_a_process_that_is_gone_does_not_stop_the_next_one(world: World) -> None:
    broken = world.root / "broken"
    broken.touch()
    world.release("1.0", [effect("first", f"test ! -e {broken}"), effect("next")])
    with pytest.raises(ActionFailed):
        world.apply()
    store = Store(world.instance / ".changeover")
    store.ask("r1", "pause", by="colleague", reason="lunch")
    store.close()
    broken.unlink()

    world.resume()

    assert world.state().stage is Stage.DONE


def test_what_another_process_did_meanwhile_is_known_once_the_lock_is_held(world: World) -> None:
    broken = world.root / "broken"
    broken.touch()
    world.release("1.0", [effect("first", f"test ! -e {broken}")])
    with pytest.raises(ActionFailed):
        world.apply()
    session = world.session()
    late = Flow(session, "r1", world.operator)
    broken.unlink()
    world.resume()
    effects = world.effects()

    with pytest.raises(NotReady, match="is done"):
        late.go_on()
    session.close()

    assert world.effects() == effects


@dataclass(frozen=True)
class Reload(Action):
    """Reads a configuration again, which leaves no trace."""

    name: ClassVar[str] = "reload"
    refreshes: ClassVar[bool] = True
    traceless: ClassVar[bool] = True
    log: Path
    dies: bool

    def plan(self, host: Host) -> Change:
        return Change(Effect.RUN, "reload")

    def apply(self, host: Host, change: Change) -> None:
        if self.dies:
            raise KeyboardInterrupt
        with self.log.open("a") as log:
            log.write("reloaded\n")

    def verify(self, host: Host, change: Change) -> None:
        return


def reloading(world: World, dies: bool) -> Callable[[PlannedStep, Host], Action]:
    return lambda _step, _host: Reload(world.log, dies)


def test_a_refresh_that_leaves_no_trace_is_applied_again_after_a_crash(world: World) -> None:
    world.release("1.0", [effect("reload", on="one", phase="start")])
    session = world.session()
    for dies in (True, False):
        flow = Flow(session, "r1", world.operator)
        flow.crew = replace(flow.crew, action=reloading(world, dies))
        if dies:
            with pytest.raises(KeyboardInterrupt):
                flow.begin(session.plan(world.request(session)))
        else:
            flow.go_on()
    session.close()

    assert world.effects() == ["reloaded"]


def test_a_pause_is_heeded_between_two_batches(world: World) -> None:
    world.release("1.0", [effect("rolling", on={"role": "web", "batch": 1})])
    session = world.session()
    flow = Flow(session, "r1", world.operator)

    def ask(entry: ev.Entry) -> None:
        if isinstance(entry.event, ev.StepStarted):
            session.store.ask("r1", "pause", by="colleague", reason="lunch")

    flow.journal.follow(ask)
    with pytest.raises(Stopped):
        flow.begin(session.plan(world.request(session)))
    session.close()

    assert world.effects() == ["rolling one"]
