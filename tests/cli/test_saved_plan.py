"""A saved plan is carried out as it was approved, where it was made for, once."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import CHANGEOVER, LIMIT, typed
from tests.engine.world import World, effect


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.release("1.0", [effect("start", on="one")])
    typed(world, "plan", "--out", str(tmp_path / "plan.json"))
    return world


def plan_of(world: World) -> Path:
    return world.root / "plan.json"


def edited(world: World, change: dict[str, Any]) -> None:
    body = json.loads(plan_of(world).read_text())
    plan_of(world).write_text(json.dumps({**body, **change}))


def test_a_plan_is_not_carried_out_twice(world: World) -> None:
    first = typed(world, "apply", str(plan_of(world)))

    second = typed(world, "apply", str(plan_of(world)))

    assert (first.returncode, second.returncode) == (0, 3)
    assert "installed was nothing, is 1.0" in second.stderr
    assert world.effects() == ["start one"]


def test_a_plan_of_another_instance_is_refused(world: World) -> None:
    edited(world, {"instance": "staging"})

    refused = typed(world, "apply", str(plan_of(world)))

    assert refused.returncode == 2
    assert "on staging, not for shop on test" in refused.stderr
    assert world.effects() == []


@pytest.mark.parametrize(
    "words", [["--only", "start"], ["--to", "1.0"], ["--set", "a=b"], ["--procedure", "x"]]
)
def test_options_that_a_plan_cannot_heed_are_refused(world: World, words: list[str]) -> None:
    refused = typed(world, "apply", str(plan_of(world)), *words)

    assert refused.returncode == 2
    assert "says itself where to go" in refused.stderr
    assert world.effects() == []


def test_a_plan_whose_commands_would_be_others_now_is_refused(world: World) -> None:
    script = {"words": ["echo", "{{ vars.what }}"], "undo_words": ["true"]}
    world.release("1.0", [{"id": "say", "use": "command.run", "on": "one", "with": script}])
    file = world.instance / "instance.yaml"
    whole = file.read_text()
    file.write_text(whole.replace("vars: {log:", "vars: {what: approved, log:"))
    typed(world, "plan", "--out", str(plan_of(world)))
    file.write_text(whole.replace("vars: {log:", "vars: {what: other, log:"))

    refused = typed(world, "apply", str(plan_of(world)))

    assert refused.returncode == 3
    assert "would run echo approved" in refused.stderr


def test_a_plan_whose_steps_were_edited_is_refused(world: World) -> None:
    body = json.loads(plan_of(world).read_text())
    body["hops"][0]["steps"][0]["step"]["with_"]["script"] = f"echo mine >> {world.log}"
    plan_of(world).write_text(json.dumps(body))

    refused = typed(world, "apply", str(plan_of(world)))

    assert refused.returncode == 3
    assert world.effects() == []


def test_a_plan_with_fewer_facts_than_it_was_made_from_is_refused(world: World) -> None:
    body = json.loads(plan_of(world).read_text())
    for step in body["hops"][0]["steps"]:
        step["change"].pop("facts", None)
        step["change"].pop("estimate", None)
    body["notes"] = ["nothing to see here"]
    plan_of(world).write_text(json.dumps(body))

    edited_one = typed(world, "apply", str(plan_of(world)))
    plan_of(world).write_text(json.dumps({k: v for k, v in body.items() if k != "digest"}))
    bare = typed(world, "apply", str(plan_of(world)))

    assert (edited_one.returncode, bare.returncode) == (3, 3)
    assert "was edited since it was made" in edited_one.stderr
    assert "has no digest" in bare.stderr
    assert "changeover plan --out" in bare.stderr
    assert world.effects() == []


def test_a_plan_in_another_spelling_of_json_is_the_same_plan(world: World) -> None:
    body = json.loads(plan_of(world).read_text())
    plan_of(world).write_text(json.dumps(body, indent=7, sort_keys=True))

    done = typed(world, "apply", str(plan_of(world)))

    assert (done.returncode, world.effects()) == (0, ["start one"])


def test_a_plan_printed_as_json_can_be_carried_out(world: World) -> None:
    plan_of(world).write_text(typed(world, "plan", "-o", "json").stdout)

    done = typed(world, "apply", str(plan_of(world)))

    assert (done.returncode, world.effects()) == (0, ["start one"])


def test_a_plan_with_values_of_other_kinds_is_refused_without_a_traceback(world: World) -> None:
    edited(world, {"inputs": [1]})

    refused = typed(world, "apply", str(plan_of(world)))

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_steps_that_do_not_exist_cannot_be_planned_alone(world: World) -> None:
    refused = typed(world, "plan", "--only", "strat")

    assert refused.returncode in (2, 3)
    assert "no step or phase is called so" in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is not a saved plan"),
        ("[]", "is no mapping"),
        ("{}", "lacks instance, product"),
        ('{"instance": "test", "whence": 1}', "not understood: whence"),
    ],
)
def test_what_is_no_plan_is_named_with_its_file(world: World, content: str, why: str) -> None:
    plan_of(world).write_text(content)

    refused = typed(world, "apply", str(plan_of(world)))

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"changeover: {plan_of(world)}: ")
    assert why in refused.stderr
    assert "__init__" not in refused.stderr


def test_a_folder_whose_name_is_no_text_holds_an_instance_as_any_other(world: World) -> None:
    odd = world.root / os.fsdecode(b"n\xff")
    world.instance.rename(odd)

    planned = subprocess.run(
        [*CHANGEOVER, "-i", odd, "plan"], capture_output=True, timeout=LIMIT, check=False,
        env={**os.environ, "PYTHONPATH": "src"}, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert planned.returncode == 0, planned.stderr
    assert b"1.0" in planned.stdout


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_an_instance_file_that_is_no_file_is_said_to_be_none(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "instance.yaml"
    if kind == "folder":
        there.mkdir()
    elif kind == "link":
        there.symlink_to("nowhere")
    else:
        os.mkfifo(there)

    refused = subprocess.run(
        [*CHANGEOVER, "-i", tmp_path, "plan"], capture_output=True, text=True, timeout=LIMIT,
        env={**os.environ, "PYTHONPATH": "src"}, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip

    assert refused.returncode == 2
    assert "its instance.yaml is no file" in refused.stderr
