"""Transports to test: this machine's shells, and one behind a real sshd."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from changeover.hosts.calls import Calls
from changeover.hosts.connect import transport_to
from changeover.hosts.reach import Reach
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from tests.servers.sshd import Sshd

Opener = Callable[..., ShellTransport]
"""Opens a further transport to the same host, with the same state folder."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "it's a state"


@pytest.fixture
def another(state: Path) -> Iterator[Opener]:
    opened = []

    def open_transport(shell: str = "/bin/sh", words: tuple[str, ...] = ()) -> ShellTransport:
        reach = Reach("here", (lambda: words) if words else None, shell=shell)
        opened.append(ShellTransport(reach, str(state)))
        return opened[-1]

    yield open_transport
    for transport in opened:
        transport.close()
    assert not Calls.live


@pytest.fixture
def here(another: Opener) -> ShellTransport:
    return another()


@pytest.fixture(params=["/bin/dash", "/bin/bash", "ssh"])
def anywhere(
    request: pytest.FixtureRequest, another: Opener, state: Path
) -> Iterator[ShellTransport]:
    """The same contract, whatever the shell and the way to it."""
    if request.param != "ssh":
        yield another(request.param)
        return
    sshd: Sshd = request.getfixturevalue("sshd")
    transport = transport_to(ssh_spec(sshd), state_dir=str(state))
    yield transport
    transport.close()


def ssh_spec(sshd: Sshd, alias: str = "host1", **options: str) -> HostSpec:
    return HostSpec(alias, ssh_config=str(sshd.config), options=options)
