"""supervisor actions against a supervisord of its own."""

from __future__ import annotations

import sys

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, carried_out, planned, undone
from tests.servers.program import free_port
from tests.servers.supervisord import Supervisord

pytestmark = pytest.mark.live

SERVER = """\
[program:{name}]
command={python} -m http.server {port} --bind 127.0.0.1
directory={folder}
startsecs=0
autostart={autostart}
"""
IDLE = "[program:{name}]\ncommand=sleep 600\nstartsecs=0\nautostart=true\n"
CRASH = """\
[program:web]
command=sh -c 'echo cannot bind >&2; exit 3'
startsecs=1
startretries=1
autostart=false
"""


def server(supervisord: Supervisord, port: int, *, name: str = "web", auto: bool = True) -> str:
    folder = supervisord.folder / "www"
    folder.mkdir(exist_ok=True)
    return SERVER.format(
        name=name, python=sys.executable, port=port, folder=folder, autostart=str(auto).lower()
    )


def load(supervisord: Supervisord, name: str, text: str) -> None:
    supervisord.write_program(name, text)
    supervisord.control("update")


def pid(supervisord: Supervisord, name: str) -> str:
    return supervisord.control("pid", name).stdout.strip()


def test_a_program_is_added_changed_and_taken_away_alone(
    supervisord: Supervisord, host: Host
) -> None:
    load(supervisord, "other", IDLE.format(name="other"))
    other, config = pid(supervisord, "other"), str(supervisord.config)
    path = str(supervisord.programs / "web.conf")
    params = {"program": "web", "path": path, "config": config}

    first = applied("supervisor.program", host, content=server(supervisord, free_port()), **params)
    was = pid(supervisord, "web")
    second = applied("supervisor.program", host, content=server(supervisord, free_port()), **params)

    assert pid(supervisord, "web") not in (was, "0", "")
    undone(second[0], host, second[1])
    undone(first[0], host, first[1])
    assert "no such" in supervisord.control("status", "web").stdout
    assert pid(supervisord, "other") == other


def test_a_configuration_supervisor_refuses_is_taken_back(
    supervisord: Supervisord, host: Host
) -> None:
    path = supervisord.programs / "web.conf"
    action, change = planned(
        "supervisor.program", host, program="web", path=str(path), content="[program:web]\nx=y\n",
        config=str(supervisord.config),
    )  # fmt: skip

    with pytest.raises(ActionFailed, match=r"supervisor refuses it: .*command"):
        action.apply(acting(host), change)

    assert not path.exists()
    assert "ERROR" not in supervisord.control("reread").stdout


def test_a_file_that_was_written_and_not_taken_over_is_noticed(
    supervisord: Supervisord, host: Host
) -> None:
    text = server(supervisord, free_port())
    path = supervisord.write_program("web", text)
    params = {
        "program": "web", "path": str(path), "content": text, "config": str(supervisord.config),
    }  # fmt: skip

    change = build("supervisor.program", params).plan(host)

    assert change.summary == "have supervisor take over web"


def test_running_with_a_closed_port_is_not_up(supervisord: Supervisord, host: Host) -> None:
    load(supervisord, "web", IDLE.format(name="web").replace("true", "false"))
    action, change = planned(
        "supervisor.start", host, program="web", port=free_port(), within=0.5,
        config=str(supervisord.config),
    )  # fmt: skip

    with pytest.raises(ActionFailed, match="it is up, and nobody answers on port"):
        carried_out(action, host, change)


def test_a_crash_shows_the_end_of_the_programs_log(supervisord: Supervisord, host: Host) -> None:
    load(supervisord, "web", CRASH)
    action, change = planned(
        "supervisor.start", host, program="web", config=str(supervisord.config)
    )

    with pytest.raises(ActionFailed, match=r"web is (FATAL|BACKOFF)") as caught:
        carried_out(action, host, change)

    assert "cannot bind" in caught.value.remedy


def test_programs_are_started_and_stopped_and_undone(supervisord: Supervisord, host: Host) -> None:
    port, config = free_port(), str(supervisord.config)
    load(supervisord, "web", server(supervisord, port, auto=False))

    url = f"http://127.0.0.1:{port}/"
    start = applied("supervisor.start", host, program="web", url=url, config=config)
    stop = applied("supervisor.stop", host, programs=["web"], port=port, config=config)

    undone(stop[0], host, stop[1])
    assert pid(supervisord, "web") != "0"
    undone(start[0], host, start[1])
    assert pid(supervisord, "web") == "0"


def test_a_program_comes_back_in_a_supervisord_that_was_started_since(
    supervisord: Supervisord, host: Host
) -> None:
    load(supervisord, "web", server(supervisord, free_port()))
    file, config = supervisord.programs / "web.conf", str(supervisord.config)
    stop, change = applied("supervisor.stop", host, program="web", config=config)
    text = file.read_text()
    file.unlink()
    supervisord.stop()
    supervisord.start()
    file.write_text(text)

    undone(stop, host, change)

    assert "RUNNING" in supervisord.control("status", "web").stdout


def test_a_restart_is_a_new_process_that_answers(supervisord: Supervisord, host: Host) -> None:
    port = free_port()
    load(supervisord, "web", server(supervisord, port))
    was = pid(supervisord, "web")

    applied("supervisor.restart", host, program="web", port=port, config=str(supervisord.config))

    assert pid(supervisord, "web") != was


def test_a_supervisord_that_does_not_answer_is_found_beforehand(
    supervisord: Supervisord, host: Host
) -> None:
    config = str(supervisord.config)
    unknown = build("supervisor.start", {"program": "nobody", "config": config})
    found = [f.message for f in unknown.check(host) if f.severity is Severity.FAIL]
    assert found == ["supervisor knows no program nobody"]

    supervisord.stop()
    found = [f.message for f in unknown.check(host) if f.severity is Severity.FAIL]
    assert len(found) == 1
    assert "does not answer" in found[0]
