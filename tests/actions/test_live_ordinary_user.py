"""Actions as an ordinary user of a host: what is allowed works, what is not is found beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.model.instance import HostSpec
from tests.actions.live import acting, applied, planned, undone
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker


@pytest.fixture
def host(container_host: ContainerHost) -> Iterator[Host]:
    container_host.run(
        "useradd -m -s /bin/sh op && install -d -m 700 -o op -g op /home/op/.ssh &&"
        " install -m 600 -o op -g op /root/.ssh/authorized_keys /home/op/.ssh/"
    )
    spec = HostSpec(container_host.name, ssh_config=str(container_host.config), user="op")
    here = connect(spec, state_dir="/home/op/state")
    yield here
    here.transport.close()
    # Nobody removes an account that still has a shell.
    container_host.run("pkill -KILL -u op; userdel -rf op 2>/dev/null; true")


def failures(host: Host, use: str, **params: Any) -> list[str]:
    return [f.message for f in build(use, params).check(host) if f.severity is Severity.FAIL]


def test_files_of_ones_own_are_written_and_come_back(
    host: Host, container_host: ContainerHost
) -> None:
    container_host.run("printf old > /home/op/conf && chown op:op /home/op/conf")
    container_host.run(
        "chmod 640 /home/op/conf; mkdir -p /home/op/old/sub; chown -R op:op /home/op/old"
    )

    write = applied("files.write", host, path="/home/op/conf", content="new", mode="0600")
    remove = applied("files.remove", host, path="/home/op/old", recursive=True)

    undone(remove[0], host, remove[1])
    undone(write[0], host, write[1])
    seen = container_host.run("cat /home/op/conf; stat -c '%a %U' /home/op/conf; ls /home/op/old")
    assert seen == "old640 op\nsub\n"


def test_commands_run_with_no_more_rights_than_the_users(host: Host) -> None:
    action, change = planned("command.run", host, words=["id", "-un"], expect={"stdout": "^op$"})

    action.apply(acting(host), change)


def test_what_is_not_allowed_is_found_beforehand(host: Host) -> None:
    assert failures(host, "files.write", path="/etc/x", content="") == ["/etc: not writable"]
    assert failures(host, "packages.install", packages=["cowsay"]) == [
        "packages cannot be installed by this user"
    ]
    assert "systemd takes no orders from op" in failures(
        host, "systemd.restart", unit="ssh.service"
    )


def test_what_is_not_allowed_fails_with_the_reason_and_changes_nothing(
    host: Host, container_host: ContainerHost
) -> None:
    action, change = planned("files.write", host, path="/etc/changeover-test", content="x")

    with pytest.raises(ActionFailed, match=r"write /etc/changeover-test: .*Permission denied"):
        action.apply(acting(host), change)

    assert container_host.run("ls /etc/changeover-test 2>/dev/null; true") == ""
