"""The commands as an operator types them, in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from changeover.cli.main import COMMANDS
from changeover.engine.journal import verify_chain
from changeover.engine.store import Store
from tests.engine.world import CANARY, World, effect, write

CHANGEOVER = (sys.executable, "-m", "changeover.cli.main")
LIMIT = 120


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.release("1.0", [write("app.conf"), effect("start", phase="start")])
    return world


def typed(world: World, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": "src", **more}
    return subprocess.run(
        [*CHANGEOVER, "-i", str(world.instance), *words],
        capture_output=True, text=True, timeout=LIMIT, env=environment, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_the_usual_way_check_plan_apply_finalize(world: World) -> None:
    plan = world.root / "plan.json"

    checked = typed(world, "check")
    planned = typed(world, "plan", "--out", str(plan))
    applied = typed(world, "apply", str(plan))
    accepted = typed(world, "finalize", "--yes")

    assert [p.returncode for p in (checked, planned, applied, accepted)] == [0, 0, 0, 0]
    assert "[OK]" in checked.stdout
    assert "+new 1.0" in planned.stdout
    assert "■ done" in applied.stdout
    assert "\x1b" not in checked.stdout + planned.stdout + applied.stdout
    assert sorted(world.effects()) == ["start one", "start two"]


def test_a_run_and_its_way_back_can_be_looked_at(world: World) -> None:
    typed(world, "apply", "--yes")

    shown, logs = typed(world, "show"), typed(world, "logs", "start")
    back = typed(world, "undo", "--dry-run")
    undone = typed(world, "undo", "--yes")
    history = typed(world, "history")

    assert "done      1.0/app.conf@one" in shown.stdout
    assert "$ script of 1 line" in logs.stdout
    assert "restore" in back.stdout
    assert undone.returncode == 0
    assert "undone" in history.stdout


def test_every_line_of_json_output_is_an_event(world: World) -> None:
    done = typed(world, "apply", "--yes", "-o", "json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert lines[0]["event"] == "LockTaken"
    assert lines[-1]["event"] == "RunEnded"
    assert [line["seq"] for line in lines] == sorted(line["seq"] for line in lines)


def test_a_failed_step_ends_with_its_code_its_cause_and_what_to_type(world: World) -> None:
    world.release("1.0", [effect("boom", "echo it burns >&2; exit 3")])

    failed = typed(world, "apply", "--yes")

    assert failed.returncode == 4
    assert "exited 3: it burns" in failed.stderr
    assert "changeover resume" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_stale_plan_is_refused_by_name(world: World) -> None:
    plan = world.root / "plan.json"
    typed(world, "plan", "--out", str(plan))
    (world.root / "one/app.conf").write_text("by a colleague")

    refused = typed(world, "apply", str(plan))

    assert refused.returncode == 3
    assert "app.conf@one" in refused.stderr
    assert world.effects() == []


def test_the_loss_of_an_undo_is_accepted_from_another_terminal(world: World) -> None:
    world.release("1.0", [write("app.conf", on="one")])
    typed(world, "apply", "--yes")
    (world.root / "one/app.conf").write_text("edited since")

    waits = typed(world, "undo", "--yes")
    opened = typed(world, "approve", "app.conf")
    undone = typed(world, "undo", "--yes")

    assert (waits.returncode, opened.returncode, undone.returncode) == (7, 0, 0)
    assert "changeover undo --approve app.conf" in waits.stderr
    assert "may go on: changeover undo" in opened.stdout
    assert not (world.root / "one/app.conf").exists()


def test_a_gate_is_opened_from_another_terminal(world: World) -> None:
    world.release("1.0", [effect("sure", on="one", approval="Backup taken?")])

    waits = typed(world, "apply", "--yes")
    opened = typed(world, "approve", "sure")
    goes_on = typed(world, "resume")

    assert (waits.returncode, opened.returncode, goes_on.returncode) == (7, 0, 0)
    assert "Backup taken?" in waits.stderr
    assert world.effects() == ["sure one"]


def test_a_failed_step_is_skipped_with_a_reason(world: World) -> None:
    world.release("1.0", [effect("boom", "exit 1", on="one"), effect("next", on="one")])
    typed(world, "apply", "--yes")

    skipped = typed(world, "skip", "boom", "--reason", "done by hand")
    goes_on = typed(world, "resume")

    assert (skipped.returncode, goes_on.returncode) == (0, 0)
    assert "done by hand" in typed(world, "audit", "export").stdout
    assert world.effects() == ["boom one", "next one"]


def test_ctrl_c_stops_after_the_current_step_and_says_how_to_go_on(world: World) -> None:
    ready = world.root / "ready"
    slow = f"touch {ready}; while ! test -e {world.root}/go; do sleep 0.05; done"
    world.release("1.0", [effect("slow", slow, on="one"), effect("next", on="one")])
    run = subprocess.Popen(
        [*CHANGEOVER, "-i", str(world.instance), "apply", "--yes"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    while not ready.exists():
        assert run.poll() is None

    run.send_signal(signal.SIGINT)
    assert run.stdout
    heard = ""
    # The answer comes while the step still runs.
    while "stopping after" not in heard:
        heard += run.stdout.readline()
    (world.root / "go").touch()
    said, _ = run.communicate(timeout=LIMIT)

    assert run.returncode == 7
    assert "stopping after 1.0/slow@one; once more to leave at once" in heard
    assert "changeover resume" in said
    assert world.effects() == ["slow one"]
    assert typed(world, "resume").returncode == 0


def test_show_says_why_the_proof_at_the_end_failed(world: World) -> None:
    probe = {"use": "command", "words": ["echo", "0.9"]}
    world.release("1.0", [effect("one", on="one")], probe=probe)

    assert typed(world, "apply", "--yes").returncode != 0
    said = typed(world, "show").stdout

    assert "failed    1.0/proof" in said
    assert "the hosts say 0.9 is installed, not 1.0" in said


def test_secrets_stay_out_of_everything_that_is_printed(world: World) -> None:
    leak = "echo '{{ secrets.canary }}' >&2; exit 1"
    world.release("1.0", [write("app.conf", "p={{ secrets.canary }}"), effect("leak", leak)])

    said = [typed(world, *words) for words in (["plan"], ["apply", "--yes"], ["logs", "leak"])]

    assert said[1].returncode == 4
    assert not [s for s in said if CANARY in s.stdout + s.stderr]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["chekc"], 2, "Did you mean 'check'?"),
        (["apply", "no-such-plan.json"], 2, "does not exist"),
        (["plan", "--set", "nonsense"], 2, "NAME=VALUE"),
        (["plan", "--set", "x=1"], 2, "asks nothing called x"),
        (["plan", "--to", "9.9"], 2, "9.9"),
        (["resume"], 3, "no run yet"),
        (["undo"], 3, "no run yet"),
        (["logs", "x"], 3, "no run yet"),
        (["run", "nothing"], 2, "no procedure"),
    ],
)
def test_what_is_mistyped_gets_a_remedy(
    world: World, words: list[str], code: int, says: str
) -> None:
    refused = typed(world, *words)

    assert refused.returncode == code
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_that_is_no_plan_is_refused(world: World) -> None:
    junk = world.root / "plan.json"
    junk.write_bytes(b"\xff\x00 not json")

    refused = typed(world, "apply", str(junk))

    assert refused.returncode == 2
    assert "is not a saved plan" in refused.stderr


def test_a_folder_that_is_no_instance_is_refused(tmp_path: Path) -> None:
    refused = subprocess.run(
        [*CHANGEOVER, "-i", str(tmp_path), "history"],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip

    assert refused.returncode == 2
    assert "instance init" in refused.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    shown = subprocess.run(
        [*CHANGEOVER, name, "--help"], capture_output=True, text=True, timeout=LIMIT, check=False
    )

    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Usage:")


def test_the_journal_of_all_this_is_unbroken(world: World) -> None:
    typed(world, "apply", "--yes")
    typed(world, "undo", "--yes")

    store = Store(world.instance / ".changeover")

    assert verify_chain(store.entries()) is not None
    store.close()


def test_a_run_goes_on_where_nobody_reads_what_it_says(world: World) -> None:
    run = subprocess.Popen(
        [*CHANGEOVER, "-i", str(world.instance), "apply", "--yes"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert run.stdout is not None
    run.stdout.close()

    _, said = run.communicate(timeout=LIMIT)

    assert run.returncode == 0, said
    assert sorted(world.effects()) == ["start one", "start two"]


def test_a_step_that_waits_at_a_gate_may_be_passed_over(world: World) -> None:
    edit = effect("first", f"echo edited > {world.root}/one/app.conf", on="one")
    world.release("1.0", [edit, write("app.conf", on="one")])

    waits = typed(world, "apply", "--yes")
    skipped = typed(world, "skip", "app.conf", "--reason", "the colleague's file is right")
    goes_on = typed(world, "resume")

    assert (waits.returncode, skipped.returncode, goes_on.returncode) == (7, 0, 0), skipped.stderr
    assert (world.root / "one/app.conf").read_text() == "edited\n"
