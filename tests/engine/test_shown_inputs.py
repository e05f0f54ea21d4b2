"""What a plan shows of its inputs: those that something in it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from changeover.views.plan import plan_lines
from tests.engine.world import World, write

INPUTS = {
    "workers": {"type": "int", "default": 2},
    "colour": {"default": "blue"},
    "mode": {"default": "calm"},
}


def lines(world: World, **more: Any) -> str:
    plan = world.plan(inputs={"workers": 2, "colour": "blue", "mode": "calm"}, **more)
    assert plan.inputs == {"workers": 2, "colour": "blue", "mode": "calm"}
    return "\n".join(plan_lines(plan))


def test_a_plan_names_the_inputs_that_its_steps_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.release(
        "1.0",
        [
            write(
                "conf", "workers {{ inputs.workers }}", when={"expr": "{{ inputs.mode == 'calm' }}"}
            )
        ],
        inputs=INPUTS,
        procedures={"paint": [write("paint", "{{ inputs.colour }}")], "plain": [write("plain")]},
    )

    assert "with workers=2, mode=calm" in lines(world)
    assert "with colour=blue" in lines(world, procedure="paint")
    assert "with " not in lines(world, procedure="plain")
