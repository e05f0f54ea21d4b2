"""`command.run` on this machine, as whoever runs the tests."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from changeover.actions.base import Reversible
from changeover.actions.builtin import build
from changeover.errors import ActionFailed, CommandFailed
from changeover.hosts.host import Host
from tests.actions.live import acting, applied, planned, this_machine, undone
from tests.servers.program import await_outcome

USE = "command.run"


def test_a_command_runs_once_however_often_it_is_applied(host: Host, tmp_path: Path) -> None:
    log = tmp_path / "log"

    applied(USE, host, script=f"echo effect >> {log}", env={"A": "b"}, cwd=str(tmp_path))

    assert log.read_text() == "effect\n"


def test_a_script_reads_its_own_input_and_is_not_seen_by_others(host: Host, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = f"read line\ntr '\\0' ' ' </proc/$$/cmdline >{out}\necho \"$line\" >>{out}\n# hunter2"

    applied(USE, host, script=script, stdin="secret input\n")

    seen = out.read_text()
    assert seen.endswith("secret input\n")
    assert "hunter2" not in seen


def test_a_failing_line_stops_a_script(host: Host, tmp_path: Path) -> None:
    action, change = planned(USE, host, script=f"false\ntouch {tmp_path}/never")

    with pytest.raises(CommandFailed, match="exited 1"):
        action.apply(acting(host), change)

    assert not (tmp_path / "never").exists()


def test_what_it_creates_decides_whether_it_runs(host: Host, tmp_path: Path) -> None:
    made = tmp_path / "made"

    applied(USE, host, words=["touch", str(made)], creates=str(made))

    assert not build(USE, {"words": ["false"], "creates": str(made)}).plan(host).needed


def test_expectations_are_compared_with_what_it_prints(host: Host) -> None:
    action, change = planned(USE, host, words=["echo", "no"], expect={"stdout": "^yes$"})

    with pytest.raises(ActionFailed, match=r"printed nothing that matches '\^yes\$'"):
        action.apply(acting(host), change)


def test_it_can_be_taken_back_where_the_release_says_how(host: Host, tmp_path: Path) -> None:
    log = tmp_path / "log"
    action, change = applied(
        USE, host, script=f"echo done >> {log}", undo_script=f"echo undone >> {log}"
    )

    undone(action, host, change)

    assert log.read_text() == "done\nundone\n"
    assert not isinstance(build(USE, {"words": ["true"]}), Reversible)


def test_a_command_under_way_is_followed_though_what_it_creates_is_there(
    host: Host, tmp_path: Path
) -> None:
    made, go, log = tmp_path / "made", tmp_path / "go", tmp_path / "log"
    script = f"touch {made}; until [ -e {go} ]; do sleep 0.05; done; echo end >> {log}"
    action, change = planned(USE, host, script=script, creates=str(made))
    attempt = acting(host)
    first = replace(attempt, transport=this_machine(tmp_path / "state").transport)
    with ThreadPoolExecutor(1) as crashing:
        interrupted = crashing.submit(action.apply, first, change)
        assert await_outcome(made.exists, 30)

        resumed = action.plan(attempt)
        go.touch()
        action.apply(attempt, resumed)
        interrupted.result()

    first.transport.close()
    assert resumed.needed
    assert log.read_text() == "end\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_it_runs_as_another_user(host: Host, tmp_path: Path) -> None:
    action, change = planned(
        USE, host, words=["id", "-un"], user="nobody", expect={"stdout": "^nobody$"}
    )

    action.apply(acting(host), change)
