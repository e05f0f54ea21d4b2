"""What a run does when things go as planned, and when they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from changeover.engine.drift import moved_since, refuse_stale
from changeover.engine.finalize import finalize
from changeover.engine.flow import Flow, Undone
from changeover.engine.journal import Journal
from changeover.engine.operator import Stopped
from changeover.engine.store import Store
from changeover.errors import (
    ActionFailed,
    GateClosed,
    InvalidInput,
    NotReady,
    NoWayBack,
    PlanStale,
)
from changeover.model import events as ev
from changeover.model.codec import from_json, to_json
from changeover.model.plan import Plan
from changeover.model.state import Stage, Status
from tests.engine.world import CANARY, World, effect, write


def fails_while(path: Path) -> str:
    return f"test ! -e {path}"


def test_a_run_does_what_its_plan_says_on_every_host(world: World) -> None:
    world.release("1.0", [write("app.conf"), effect("start", phase="start")])

    world.apply(world.plan())

    assert (world.root / "one/app.conf").read_text() == "new 1.0"
    assert sorted(world.effects()) == ["start one", "start two"]
    assert world.state().stage is Stage.DONE


def test_a_second_plan_has_nothing_left_to_do(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()

    plan = world.plan()

    assert plan.installed == "1.0"
    assert plan.hops == ()


def test_a_failed_step_is_tried_again_by_resume_and_the_others_are_not(world: World) -> None:
    broken = world.root / "broken"
    broken.touch()
    world.release("1.0", [effect("first"), effect("second", fails_while(broken)), effect("third")])

    with pytest.raises(ActionFailed):
        world.apply()
    stopped = world.state()
    broken.unlink()
    world.resume()

    assert stopped.stage is Stage.FAILED
    counts = {e: world.effects().count(e) for e in world.effects()}
    assert counts["first one"] == 1
    assert counts["second one"] == 2
    assert counts["third one"] == 1
    assert world.state().attempts["1.0/second@one"] == 2


def test_a_step_is_tried_as_often_as_its_release_says(world: World) -> None:
    mark = f"{world.root}/tried-{{{{ host.name }}}}"
    once = f"test -e {mark} || {{ touch {mark}; exit 1; }}"
    world.release("1.0", [effect("flaky", once, retries=1)])

    world.apply()

    assert world.state().attempts["1.0/flaky@one"] == 2


def test_on_failure_undo_takes_everything_back(world: World) -> None:
    (world.root / "one/app.conf").write_bytes(b"edited\xff here\n")
    (world.root / "one/app.conf").chmod(0o600)
    before = world.tree()
    world.release("1.0", [write("app.conf"), effect("boom", "exit 3")])

    with pytest.raises(Undone, match="everything was taken back"):
        world.apply(on_failure="undo")

    assert world.tree() == before
    assert world.state().stage is Stage.UNDONE


def test_a_gate_stops_the_run_until_somebody_opens_it(world: World) -> None:
    world.release("1.0", [effect("sure", approval="Backup taken?")])

    with pytest.raises(GateClosed, match="Backup taken"):
        world.apply()
    assert world.effects() == []
    store = Store(world.instance / ".changeover")
    for host in ("one", "two"):
        key = f"1.0/sure@{host}"
        Journal(store, "r1").append(ev.GateOpened(key, "approval", "tester"))
    store.close()
    world.resume()

    assert sorted(world.effects()) == ["sure one", "sure two"]


def test_a_colleagues_edit_since_the_plan_stops_the_step_it_concerns(world: World) -> None:
    first = effect("first", f'echo "by a colleague" > {world.root}/one/app.conf', on="one")
    world.release("1.0", [first, write("app.conf")])

    with pytest.raises(GateClosed, match="the host changed since the plan"):
        world.apply()

    assert (world.root / "one/app.conf").read_text() == "by a colleague\n"


def test_a_plan_is_refused_where_something_moved_and_says_what(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    plan = world.plan()
    (world.root / "two/app.conf").write_text("by a colleague")

    with pytest.raises(PlanStale, match=r"app.conf@two: file .*app.conf: was absent"):
        refuse_stale(plan, world.plan())


def test_a_plan_survives_being_saved(world: World) -> None:
    world.release("1.0", [write("app.conf"), effect("start", phase="start")])
    plan = world.plan()

    read = from_json(Plan, json.loads(json.dumps(to_json(plan))))

    assert read == plan
    assert moved_since(read, world.plan()) == []


def test_several_hops_are_one_run(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()
    world.release("1.1", [write("app.conf"), effect("one-one")], **{"from": ">=1.0,<1.1"})
    world.release("1.2", [write("app.conf"), effect("one-two")], **{"from": ">=1.1,<1.2"})

    world.apply(world.plan(), run="r2")

    assert (world.root / "one/app.conf").read_text() == "new 1.2"
    assert sorted(world.effects()) == ["one-one one", "one-one two", "one-two one", "one-two two"]
    world.undo("r2")
    assert (world.root / "one/app.conf").read_text() == "new 1.0"


def test_a_step_for_several_hosts_can_happen_once(world: World) -> None:
    world.release("1.0", [effect("once", on={"role": "web", "once": True})])

    world.apply()

    assert world.effects() == ["once one"]


def test_a_batch_that_fails_keeps_the_next_hosts_untouched(world: World) -> None:
    world.release("1.0", [effect("rolling", "exit 1", on={"role": "web", "batch": 1})])

    with pytest.raises(ActionFailed):
        world.apply()

    assert world.effects() == ["rolling one"]


def test_an_undo_is_refused_beyond_a_point_of_no_return(world: World) -> None:
    world.release("1.0", [effect("drop", back=False, undo="none"), effect("boom", "exit 1")])
    with pytest.raises(ActionFailed):
        world.apply()

    with pytest.raises(NoWayBack, match=r"drop@one.*no way back"):
        world.undo()

    assert world.state().of("1.0/drop@one") is Status.DONE


def test_a_finalized_run_cannot_be_undone(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()
    session = world.session()
    finalize(Flow(session, "r1", world.operator))
    session.close()

    with pytest.raises(NoWayBack, match="was finalized"):
        world.undo()

    assert not list((world.root / "state-one/test").glob("store/*"))


def test_a_request_to_pause_stops_between_two_steps(world: World) -> None:
    world.release("1.0", [effect("first"), effect("second")])
    session = world.session()
    flow = Flow(session, "r1", world.operator)
    flow.journal.follow(lambda e: _pause_after_first(session.store, e))

    with pytest.raises(Stopped, match="paused by colleague"):
        flow.begin(session.plan(world.request(session)))
    session.close()

    assert sorted(world.effects()) == ["first one", "first two"]
    world.resume()
    assert world.state().stage is Stage.DONE


def _pause_after_first(store: Store, entry: ev.Entry) -> None:
    if isinstance(entry.event, ev.StepDone) and entry.event.key == "1.0/first@one":
        store.ask("r1", "pause", by="colleague", reason="lunch")


def test_site_steps_run_where_the_operator_put_them(world: World) -> None:
    world.release("1.0", [effect("stop", phase="stop"), effect("go", phase="start")])
    own = effect("own", back=False, undo="nothing")
    file = world.instance / "instance.yaml"
    file.write_text(
        file.read_text() + f"site_steps:\n  - {{after: stop, step: {json.dumps(own)}}}\n"
    )

    world.apply()

    order = [e for e in world.effects() if e.endswith("one")]
    assert order == ["stop one", "own one", "go one"]


def test_no_secret_is_written_anywhere_but_where_it_belongs(world: World) -> None:
    secret_file = write("app.conf", "password={{ secrets.canary }}\n")
    talks = effect("talks", "echo '{{ secrets.canary }}'; echo '{{ secrets.canary }}' >&2; exit 4")
    world.release("1.0", [secret_file, talks])

    with pytest.raises(ActionFailed) as caught:
        world.apply()

    plan = json.dumps(to_json(world.plan()))
    kept = [p for p in (world.instance / ".changeover").rglob("*") if p.is_file()]
    kept += [p for p in world.root.glob("state-*/**/*") if p.is_file() and "once" not in p.parts]
    assert CANARY not in plan + str(caught.value) + caught.value.remedy
    assert not [p for p in kept if CANARY.encode() in p.read_bytes()]


def test_an_unknown_procedure_names_those_there_are(world: World) -> None:
    world.release("1.0", [], procedures={"rotate": [effect("rotate")]})

    with pytest.raises(InvalidInput, match="no procedure rotat") as caught:
        world.plan(procedure="rotat")

    assert "rotate" in caught.value.remedy


def test_a_run_that_ended_is_not_resumed(world: World) -> None:
    world.release("1.0", [write("app.conf")])
    world.apply()

    with pytest.raises(NotReady, match="is done"):
        world.resume()


def test_an_undone_run_leaves_no_output_of_commands_on_the_hosts(world: World) -> None:
    world.release("1.0", [effect("talks", "echo '{{ secrets.canary }}'")])
    world.apply()

    world.undo()

    left = [p for p in world.root.glob("state-*/**/*") if p.is_file()]
    assert not [p for p in left if CANARY.encode() in p.read_bytes()]
