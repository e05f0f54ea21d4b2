import os
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from changeover.errors import ChangeoverError, InvalidInstance, Unreachable
from changeover.hosts.command import command, shell
from changeover.hosts.connect import connect, transport_to
from changeover.hosts.ssh import ssh_words
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from tests.hosts.conftest import ssh_spec
from tests.servers.program import await_outcome, free_port
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.live


def echo(transport: ShellTransport) -> str:
    return transport.run(command("echo", "on"), timeout=20, silence=None).stdout


def refusal(spec: HostSpec, state: Path) -> ChangeoverError:
    transport = transport_to(spec, state_dir=str(state))
    with pytest.raises(ChangeoverError) as told:
        echo(transport)
    transport.close()
    return told.value


def known_as(sshd: Sshd, alias: str, key: Path, folder: Path) -> dict[str, str]:
    """Make a known_hosts of one line: this host has this key."""
    public = key.with_suffix(".pub").read_text().split()[:2]
    (folder / "known").write_text(f"[127.0.0.1]:{sshd.port} {' '.join(public)}\n")
    return {"UserKnownHostsFile": str(folder / "known")}


def test_a_host_is_reached_as_the_operators_configuration_says(sshd: Sshd, state: Path) -> None:
    host = connect(ssh_spec(sshd, "host3"), state_dir=str(state))

    assert host.do(shell('echo "$HOME"')).strip() == str(sshd.home("host3"))
    host.transport.close()


def test_a_host_behind_another_is_reached_through_it(sshd: Sshd, state: Path) -> None:
    host = connect(ssh_spec(sshd, "inner"), state_dir=str(state))

    assert host.do(shell('echo "$HOME"')).strip() == str(sshd.home("inner"))
    host.transport.close()


def test_nothing_is_reached_before_it_is_asked(sshd: Sshd, state: Path) -> None:
    transport_to(HostSpec("nowhere", address="192.0.2.1"), state_dir=str(state)).close()


def test_an_unknown_host_key_sends_nothing_and_says_what_to_do(sshd: Sshd, state: Path) -> None:
    told = refusal(ssh_spec(sshd, UserKnownHostsFile="/dev/null"), state)

    assert isinstance(told, Unreachable)
    assert "Host key verification failed" in told.message
    assert "fingerprint" in told.remedy


def test_a_changed_host_key_sends_nothing(sshd: Sshd, state: Path, tmp_path: Path) -> None:
    other = known_as(sshd, "host1", sshd.key("host2"), tmp_path)

    assert "Host key verification failed" in refusal(ssh_spec(sshd, **other), state).message


def test_new_hosts_are_accepted_where_the_operators_configuration_says_so(
    sshd: Sshd, state: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    text = sshd.config.read_text().replace("StrictHostKeyChecking yes", "StrictHostKeyChecking {}")
    text = text.replace(str(sshd.known_hosts), str(tmp_path / "known"))
    spec = HostSpec("host1", ssh_config=str(config))

    config.write_text(text.format(*["no"] * 20))
    assert "Host key verification failed" in refusal(spec, state).message
    config.write_text(text.format(*["accept-new"] * 20))
    transport = transport_to(spec, state_dir=str(state))
    assert echo(transport) == "on\n"
    transport.close()

    known_as(sshd, "host1", sshd.key("host2"), tmp_path)
    assert "Host key verification failed" in refusal(spec, state).message


def test_an_instance_cannot_turn_the_check_of_host_keys_off() -> None:
    with pytest.raises(InvalidInstance, match="StrictHostKeyChecking"):
        ssh_words(HostSpec("web", options={"StrictHostKeyChecking": "no"}))


@pytest.mark.parametrize("address", ["-oProxyCommand=touch /tmp/x", "--"])
def test_an_address_is_never_an_option(address: str) -> None:
    with pytest.raises(InvalidInstance, match="dash"):
        ssh_words(HostSpec("web", address=address))


def test_a_key_that_is_not_let_in_is_a_clear_error(sshd: Sshd, state: Path, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", tmp_path / "key"], check=True)
    config = sshd.config.read_text().replace(str(sshd.key("host1")), str(tmp_path / "key"))
    (tmp_path / "config").write_text(config)

    told = refusal(HostSpec("host1", ssh_config=str(tmp_path / "config")), state)

    assert "Permission denied" in told.message
    assert "ssh -v" in told.remedy


def test_a_closed_port_is_a_clear_error(sshd: Sshd, state: Path) -> None:
    told = refusal(HostSpec("host1", port=free_port(), ssh_config=str(sshd.config)), state)

    assert "Connection refused" in told.message
    assert "sshd" in told.remedy


def test_a_host_that_accepts_and_says_nothing_is_given_up(sshd: Sshd, state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        spec = HostSpec(
            "host1", port=port, ssh_config=str(sshd.config), options={"ConnectTimeout": "1"}
        )

        assert isinstance(refusal(spec, state), Unreachable)


def test_a_name_nobody_knows_is_a_clear_error(state: Path) -> None:
    told = refusal(HostSpec("web", address="no-such-host.invalid"), state)

    assert "no-such-host.invalid" in told.message
    assert "address" in told.remedy


def test_a_lost_connection_is_unknown_and_the_next_request_connects_again(
    own_sshd: Sshd, state: Path, tmp_path: Path
) -> None:
    transport = transport_to(ssh_spec(own_sshd), state_dir=str(state))
    transport.lock_take(1, "me", 30)
    script = shell(
        'touch "$1"; while [ ! -e "$2" ]; do sleep 0.05; done',
        *(str(tmp_path / name) for name in ("started", "go")),
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(transport.run, script, timeout=60, silence=None)
        assert await_outcome((tmp_path / "started").exists, 30)
        own_sshd.cut()
        with pytest.raises(Unreachable) as told:
            running.result()
        with pytest.raises(Unreachable):
            echo(transport)
    own_sshd.start()

    assert "up and answers" in told.value.remedy
    assert echo(transport) == "on\n"
    assert transport.leftover() is not None
    threading.Timer(0.2, (tmp_path / "go").touch).start()
    assert transport.wait_leftover(10)
    transport.close()


def test_what_runs_once_outlives_the_connection(
    own_sshd: Sshd, state: Path, tmp_path: Path
) -> None:
    transport = transport_to(ssh_spec(own_sshd), state_dir=str(state))
    script = 'echo effect >>"$1"; while [ ! -e "$2" ]; do sleep 0.05; done; echo done; exit 4'
    asked = shell(script, str(tmp_path / "log"), str(tmp_path / "go"))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(transport.once, "k", asked, timeout=60, silence=None)
        assert await_outcome((tmp_path / "log").exists, 30)
        own_sshd.cut()
        with pytest.raises(Unreachable):
            running.result()
    own_sshd.start()
    threading.Timer(0.3, (tmp_path / "go").touch).start()

    done = transport.once("k", asked, timeout=60, silence=None)

    assert (done.code, done.stdout) == (4, "done\n")
    assert (tmp_path / "log").read_text() == "effect\n"
    transport.close()


def test_a_frozen_connection_is_noticed(own_sshd: Sshd, state: Path) -> None:
    alive = {"ServerAliveInterval": "1", "ServerAliveCountMax": "1"}
    transport = transport_to(ssh_spec(own_sshd, **alive), state_dir=str(state))
    assert echo(transport) == "on\n"
    frozen = list(own_sshd._sessions())
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable):
            transport.run(command("true"), timeout=30, silence=None)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)
    transport.close()


def test_ten_hosts_work_at_once(sshd: Sshd, tmp_path: Path) -> None:
    hosts = [
        connect(ssh_spec(sshd, f"host{n}"), state_dir=str(tmp_path / f"state{n}"))
        for n in range(1, 11)
    ]

    with ThreadPoolExecutor(10) as pool:
        homes = list(pool.map(lambda host: host.do(shell('echo "$HOME"')).strip(), hosts))

    assert homes == [str(sshd.home(f"host{n}")) for n in range(1, 11)]
    for host in hosts:
        host.transport.close()
