"""Configuration files through releases: their bases, conflicts, answers and drift."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from changeover.engine.preflight import examine
from changeover.errors import GateClosed, InvalidInput
from changeover.instances.decisions import load_decisions
from changeover.model.findings import Severity
from tests.cli.test_commands import typed
from tests.engine.world import World

FIRST = "port = 80\nworkers = 2\nmotd = 'hello {{ vars.name }}'\n"
SECOND = "port = 80\nworkers = 4\nmotd = 'hello {{ vars.name }}'\ntimeout = 30\n"
THIRD = "listen = 81\nworkers = 4\nmotd = 'hello {{ vars.name }}'\ntimeout = 60\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    described = world.instance / "instance.yaml"
    described.write_text(described.read_text().replace("vars: {log", "vars: {name: us, log"))
    publish(world, "1.0.0", FIRST)
    world.apply()
    return world


def publish(world: World, version: str, reference: str, **config: Any) -> None:
    """A release whose file every web host has, and nothing else."""
    step = {"id": "config", "use": "files.merge", "on": "web", "with": {"config": "app"}}
    app = {"reference": "files/app.toml.j2", "at": "{{ host.vars.home }}/app.toml", **config}
    folder = world.release(version, [step], configs={"app": app})
    (folder / "files").mkdir(exist_ok=True)
    (folder / "files/app.toml.j2").write_text(reference)


def edit(world: World, old: str, new: str, host: str = "one") -> Path:
    file = world.root / host / "app.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    return file


def conflicts(world: World) -> list[str]:
    session = world.session()
    try:
        findings, _ = examine(session, world.request(session))
    finally:
        session.close()
    return [f"{f.host}: {f.message}" for f in findings if f.severity is Severity.FAIL]


def test_edits_live_through_two_releases_planned_at_once(world: World) -> None:
    file = edit(world, "workers = 2", "workers = 16")
    publish(world, "1.1.0", SECOND.replace("workers = 4", "workers = 2"))
    publish(world, "1.2.0", THIRD.replace("workers = 4", "workers = 2"), renamed={"port": "listen"})
    # Two hops, not one: the newest comes only from the one between.
    folder = world.root / "releases/shop/1.2.0/release.yaml"
    body = yaml.safe_load(folder.read_text()) | {"from": ">=1.1,<1.2"}
    folder.write_text(yaml.safe_dump(body, sort_keys=False))

    world.apply(run="r2")

    assert file.read_text() == (
        "listen = 81\nworkers = 16\nmotd = 'hello us'\ntimeout = 60\n"
    )  # fmt: skip
    world.undo(run="r2")
    assert file.read_text() == "port = 80\nworkers = 16\nmotd = 'hello us'\n"


def test_a_value_of_the_instance_that_changed_arrives(world: World) -> None:
    file = edit(world, "port = 80", "port = 8080")
    described = world.instance / "instance.yaml"
    described.write_text(described.read_text().replace("name: us", "name: all"))
    publish(world, "1.1.0", SECOND)

    world.apply(run="r2")

    assert "port = 8080\nworkers = 4\nmotd = 'hello all'\n" in file.read_text()


def test_the_installed_release_tells_the_base_nobody_recorded(world: World) -> None:
    file = edit(world, "port = 80", "port = 8080")
    for state in ("state-one", "state-two"):
        for record in (world.root / state).glob("*/bases/*"):
            record.unlink()
    publish(world, "1.1.0", SECOND)

    world.apply(run="r2")

    assert file.read_text() == SECOND.replace("80", "8080").replace("{{ vars.name }}", "us")


def test_conflicts_are_found_by_check_and_keep_apply_from_beginning(world: World) -> None:
    edit(world, "port = 80", "port = 8080")
    publish(
        world, "1.1.0", SECOND.replace("port = 80", "port = 81"), notes={"port": {"en": "Why."}}
    )

    checked = typed(world, "check")
    applied = typed(world, "apply", "--yes")

    (found,) = conflicts(world)
    assert found.startswith("one: ")
    assert "port: changed here and in the reference" in found
    assert "the vendor says: Why." in found
    assert (checked.returncode, applied.returncode) == (3, 3)
    assert "--answer 'app:port=ours'" in checked.stdout + checked.stderr
    assert "workers = 2" in (world.root / "one/app.toml").read_text()


@pytest.mark.parametrize(("said", "port"), [("ours", "8080"), ("theirs", "81"), ("99", "99")])
def test_an_answer_is_given_once_and_remembered(world: World, said: str, port: str) -> None:
    file = edit(world, "port = 80", "port = 8080")
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"))

    planned = typed(world, "plan", "--answer", f"port={said}")
    kept = (world.instance / "answers.yaml").read_text()
    applied = typed(world, "apply", "--yes")

    assert (planned.returncode, applied.returncode) == (0, 0), applied.stderr
    assert f"port = {port}\n" in file.read_text()
    assert "8080" not in kept
    assert (world.instance / "answers.key").stat().st_mode & 0o777 == 0o600
    assert "answers.key" in (world.instance / ".gitignore").read_text().splitlines()
    assert load_decisions(world.instance).keys() == {str(file)}


def test_a_question_that_changed_is_asked_again(world: World) -> None:
    edit(world, "port = 80", "port = 8080")
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"))
    assert typed(world, "plan", "--answer", "app:port=ours").returncode == 0

    edit(world, "port = 8080", "port = 8081")

    assert len(conflicts(world)) == 1


def test_an_answer_to_no_question_is_refused(world: World) -> None:
    publish(world, "1.1.0", SECOND)

    told = typed(world, "plan", "--answer", "prot=ours")

    assert told.returncode == 2
    assert "--answer prot: nothing asks that" in told.stderr


def test_inputs_and_decisions_share_a_file_in_peace(world: World) -> None:
    edit(world, "port = 80", "port = 8080")
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"))
    (world.instance / "answers.yaml").write_text('workers: 4\nname: "x"\n')

    assert typed(world, "plan", "--answer", "port=theirs").returncode == 0

    session = world.session()
    session.close()
    assert session.instance.inputs == {"workers": 4, "name": "x"}
    assert len(load_decisions(world.instance)) == 1


def test_a_required_setting_is_asked_for_before_anything_happens(world: World) -> None:
    publish(world, "1.1.0", SECOND, required=["owner"])

    assert all("owner: required, and has no value" in line for line in conflicts(world))
    assert typed(world, "apply", "--yes", "--answer", "owner='me'").returncode == 0
    assert "owner = 'me'\n" in (world.root / "two/app.toml").read_text()


def test_an_edit_since_the_plan_stops_at_a_gate(world: World) -> None:
    publish(world, "1.1.0", SECOND)
    plan = world.plan()
    file = edit(world, "port = 80", "port = 8080")

    with pytest.raises(GateClosed, match=r"the host changed since the plan: file .*app.toml"):
        world.apply(plan, run="r2")

    assert "port = 8080\nworkers = 2" in file.read_text()


def test_a_run_that_meets_a_new_conflict_asks_before_it_keeps_anything(world: World) -> None:
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"))
    plan = world.plan()
    edit(world, "port = 80", "port = 8080")
    world.operator.approved = frozenset({"config"})

    world.apply(plan, run="r2")

    assert "port = 8080\nworkers = 4" in (world.root / "one/app.toml").read_text()
    assert "port = 81\nworkers = 4" in (world.root / "two/app.toml").read_text()


def test_nothing_left_is_nothing_done(world: World) -> None:
    publish(world, "1.1.0", SECOND)
    world.apply(run="r2")

    (hop,) = world.plan("1.1.0").hops or [None]

    assert hop is None or not any(step.change.needed for step in hop.steps)


def test_an_unknown_configuration_file_is_named(world: World) -> None:
    step = {"id": "config", "use": "files.merge", "on": "web", "with": {"config": "apq"}}
    world.release("1.1.0", [step], configs={})

    with pytest.raises(InvalidInput, match="no configuration file is called `apq`"):
        world.plan()


def test_files_that_are_not_merged_cost_no_import() -> None:
    script = "import changeover.cli.planning, sys; print('changeover.merge.engine' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"
