"""Plan files edited by hand, and places where none can be saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from changeover.cli.main import changeover
from changeover.engine.drift import refuse_stale
from changeover.errors import InvalidInput, PlanStale
from tests.engine.world import World, write


def test_a_plan_whose_way_back_was_edited_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release("1", [write("a")])
    plan = world.plan()
    (hop,) = plan.hops
    forged = replace(hop, steps=tuple(replace(s, reversible=False) for s in hop.steps))

    with pytest.raises(PlanStale, match="another way back"):
        refuse_stale(replace(plan, hops=(forged,)), world.plan())


def test_a_plan_that_cannot_be_saved_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release("1", [write("a")])
    words = ["-i", str(world.instance), "plan", "--out", "/dev/full"]

    with pytest.raises(InvalidInput, match="the plan cannot be saved"):
        changeover.main(words, standalone_mode=False)

    assert world.effects() == []
