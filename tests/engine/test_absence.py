"""A host that is away: the others go on or back without it, and it follows when it returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from changeover.engine.absence import LeftOut
from changeover.engine.flow import Flow
from changeover.errors import ActionFailed, InvalidInput, NotReady, Unreachable
from changeover.model import events as ev
from changeover.model.state import Stage
from tests.cli.test_commands import typed
from tests.engine.world import World, effect, write
from tests.servers.program import free_port


@contextmanager
def two_away(world: World) -> Iterator[None]:
    """While this lasts, nothing answers where host two was."""
    file = world.instance / "instance.yaml"
    whole = file.read_text()
    there = "{transport: local, roles: [web, db],"
    assert there in whole
    gone = f"{{address: 127.0.0.1, port: {free_port()}, roles: [web, db],"
    file.write_text(whole.replace(there, gone))
    yield
    file.write_text(whole)


def without(world: World, *hosts: str, back: bool = False) -> None:
    session = world.session()
    try:
        session.leave_out(hosts)
        flow = Flow(session, "r1", world.operator)
        flow.go_back("tested") if back else flow.go_on()
    finally:
        session.close()


def stopped_half_way(world: World, *more: dict[str, object], **top: object) -> None:
    """Begin a run whose second step fails everywhere until its obstacle is removed."""
    broken = world.root / "broken"
    broken.touch()
    second = effect("second", f"test ! -e {broken}")
    world.release("1.0", [effect("first"), second, *more], **top)
    with pytest.raises(ActionFailed):
        world.apply()
    broken.unlink()
    world.log.write_text("")


def test_a_run_goes_on_without_a_host_that_died_and_does_its_steps_when_it_is_back(
    world: World,
) -> None:
    stopped_half_way(world, write("third"))
    with two_away(world):
        with pytest.raises(Unreachable) as refused:
            world.resume()
        with pytest.raises(LeftOut) as short:
            without(world, "two")
        alone, stage = world.effects(), world.state().stage
    world.resume()

    assert "resume --without HOST" in refused.value.remedy
    assert "two: was left out: 2 steps" in short.value.message
    assert (alone, stage) == (["second one"], Stage.PAUSED)
    assert world.effects() == ["second one", "second two"]
    assert (world.root / "two/third").read_text() == "new 1.0"
    assert world.state().stage is Stage.DONE


def test_an_undo_goes_on_without_a_host_that_died_and_ends_when_it_is_back(world: World) -> None:
    (world.root / "one/app").write_text("old")
    (world.root / "two/app").write_text("old")
    before = world.tree()
    world.release("1.0", [write("app")])
    world.apply()
    with two_away(world):
        with pytest.raises(Unreachable) as refused:
            world.undo()
        with pytest.raises(LeftOut):
            without(world, "two", back=True)
    texts = [(world.root / host / "app").read_text() for host in ("one", "two")]
    stage = world.state().stage
    world.resume()

    assert "undo --without HOST" in refused.value.remedy
    assert (texts, stage) == (["old", "new 1.0"], Stage.PAUSED)
    assert world.tree() == before
    assert world.state().stage is Stage.UNDONE


def test_a_host_that_does_a_step_for_all_is_not_left_out(world: World) -> None:
    stopped_half_way(world, effect("migrate", on="db"), effect("serve"))

    with two_away(world), pytest.raises(NotReady, match=r"no other host does 1\.0/migrate@two"):
        without(world, "two")

    assert world.effects() == []


def test_no_further_release_begins_while_a_host_is_left_out(world: World) -> None:
    world.release("1.1", [effect("later")], **{"from": ">=1.0,<1.1"})
    stopped_half_way(world)
    with two_away(world), pytest.raises(LeftOut, match=r"1\.1 still to be done"):
        without(world, "two")
    alone = world.effects()
    world.resume()

    assert alone == ["second one"]
    assert sorted(world.effects()) == ["later one", "later two", "second one", "second two"]


def test_only_the_machine_that_had_the_run_last_does_without_a_host(world: World) -> None:
    stopped_half_way(world)
    world.state(ev.LockTaken(40, "colleague", "another-store"))

    with pytest.raises(NotReady, match="another machine went on"):
        without(world, "two")

    assert world.effects() == []


def test_at_least_one_host_that_is_there_must_be_left(world: World) -> None:
    stopped_half_way(world)

    with pytest.raises(InvalidInput, match="no host would be left"):
        without(world, "one", "two")
    with pytest.raises(InvalidInput, match="three: no such host"):
        without(world, "three")


def test_a_command_says_what_waits_for_the_host_and_what_to_do(world: World) -> None:
    stopped_half_way(world)

    with two_away(world):
        done = typed(world, "resume", "--without", "two")
        shown = typed(world, "show")
    undone = typed(world, "undo", "--yes")

    assert done.returncode == 7
    assert "going on, without two" in done.stdout + done.stderr
    assert "when it is back: changeover resume" in done.stderr
    assert "paused" in shown.stdout
    assert undone.returncode == 0
