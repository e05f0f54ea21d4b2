"""supervisor.forget against a supervisord of its own."""

from __future__ import annotations

import pytest

from changeover.hosts.host import Host
from tests.actions.live import applied, undone
from tests.servers.supervisord import Supervisord

pytestmark = pytest.mark.live

IDLE = "[program:{name}]\ncommand=sleep 600\nstartsecs=0\n"


def known(supervisord: Supervisord) -> set[str]:
    lines = supervisord.control("status").stdout.splitlines()
    return {line.split()[0] for line in lines}


def test_programs_are_forgotten_and_come_back(supervisord: Supervisord, host: Host) -> None:
    text = IDLE.format(name="web") + IDLE.format(name="page")
    path = supervisord.write_program("web", text)
    supervisord.write_program("other", IDLE.format(name="other"))
    supervisord.control("update")
    params = {"path": str(path), "config": str(supervisord.config)}

    action, change = applied(
        "supervisor.forget", host, program="web", groups=["web", "page"], **params
    )

    assert known(supervisord) == {"other"}
    undone(action, host, change)
    assert known(supervisord) == {"web", "page", "other"}


def test_a_program_told_again_after_it_was_only_stopped_starts(
    supervisord: Supervisord, host: Host
) -> None:
    path = supervisord.write_program("web", IDLE.format(name="web"))
    supervisord.control("update")
    supervisord.control("stop", "web")
    path.unlink()
    params = {"program": "web", "path": str(path), "config": str(supervisord.config)}

    applied("supervisor.forget", host, **params)
    applied("supervisor.program", host, content=IDLE.format(name="web"), **params)

    assert "RUNNING" in supervisord.control("status", "web").stdout
