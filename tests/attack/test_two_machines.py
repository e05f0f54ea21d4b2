"""Two machines on one instance: nobody writes a second history over the first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from changeover.engine.audit import verify
from changeover.errors import InvalidInstance, NotReady, Tampered
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
