"""Two machines on one instance: nobody writes a second history over the first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from changeover.engine.audit import verify
from changeover.engine.flow import Flow
from changeover.engine.journal import Journal
from changeover.engine.takeover import fetch
from changeover.errors import ActionFailed, InvalidInstance, NotReady, Tampered
from changeover.model.events import StepFailed
from changeover.model.findings import Severity
from tests.engine.world import World, effect, write


def other_machine(world: World) -> World:
    """Return the same instance from another machine: git brought its files, not its journal."""
    folder = world.root / "elsewhere"
    shutil.copytree(world.instance, folder, ignore=shutil.ignore_patterns(".changeover"))
    return World(world.root, folder=folder)


def test_two_machines_in_turn_write_one_history(tmp_path: Path) -> None:
    world, second = World(tmp_path), other_machine(World(tmp_path))
    world.release("1", [effect("one")])
    world.apply()
    world.release("2", [effect("two")])

    second.apply(run="r2")
    with pytest.raises(NotReady, match="run r2 came after r1"):
        world.undo("r1")
    second.undo("r2")
    world.apply(run="r3")

    session = world.session()
    assert all(finding.severity is not Severity.FAIL for finding in verify(session))
    session.close()


def test_a_journal_that_parted_from_the_hosts_is_refused(tmp_path: Path) -> None:
    world, second = World(tmp_path), other_machine(World(tmp_path))
    world.release("1", [effect("one")])
    world.apply()
    shutil.rmtree(world.root / "state-one")
    shutil.rmtree(world.root / "state-two")
    second.apply(run="r2")

    with pytest.raises(Tampered, match="another machine worked on this instance"):
        world.undo("r1")


def test_a_host_taken_out_of_the_instance_during_a_run_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release("1", [write("a")])
    world.apply()
    file = world.instance / "instance.yaml"
    file.write_text(file.read_text().replace("  two:", "  three:"))

    with pytest.raises(InvalidInstance, match="names no host two"):
        world.undo()


def test_what_a_machine_wrote_after_its_lock_was_taken_is_set_aside(tmp_path: Path) -> None:
    world, second = World(tmp_path), other_machine(World(tmp_path))
    world.release("1", [effect("one"), effect("two", f"test -e {tmp_path}/go")])
    with pytest.raises(ActionFailed):
        world.apply()
    (tmp_path / "go").touch()
    session = second.session()
    Flow(session, fetch(session), second.operator).take_over(wait=True, force=False)
    session.close()
    # Its command had been ended by the other machine; nobody has told it yet that it lost the lock.
    session = world.session()
    Journal(session.store, "r1").append(StepFailed("1/two@one", "Terminated"))
    session.close()

    with pytest.raises(NotReady, match="r1 is done"):
        world.resume()
    world.release("2", [effect("three")])
    world.apply(run="r2")

    session = world.session()
    assert all(finding.severity is not Severity.FAIL for finding in verify(session))
    session.close()
    assert [line for line in world.effects() if "three" in line]
