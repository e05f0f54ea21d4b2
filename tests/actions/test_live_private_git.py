"""git.checkout from repositories that want a password or a key."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from changeover.errors import ActionFailed
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from tests.actions.deploy_host import build, carried_out, this_machine
from tests.actions.live import acting
from tests.servers.program import await_outcome
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.live

PASSWORD = 'tök\'n $(x) "quoted" 100%'


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    here = this_machine(tmp_path)
    yield here
    here.transport.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A bare repository with one commit on `main`."""
    work, bare = tmp_path / "work", tmp_path / "served" / "shop.git"
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@shop.example"]
    for words in (
        ["git", "init", "-q", "-b", "main", str(work)],
        ["git", *identity, "-C", str(work), "commit", "-q", "--allow-empty", "-m", "one"],
        ["git", "clone", "-q", "--bare", str(work), str(bare)],
        ["git", "-C", str(bare), "update-server-info"],
    ):
        subprocess.run(words, check=True, capture_output=True)
    return bare


class Guarded(SimpleHTTPRequestHandler):
    """Serves files to whoever knows the password."""

    def do_GET(self) -> None:
        wanted = base64.b64encode(f"bot:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] == f"Basic {wanted}":
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(bare: Path) -> Iterator[str]:
    handler = partial(Guarded, directory=str(bare.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/shop.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_password_is_told_to_git_and_stands_nowhere(
    address: str, tmp_path: Path, host: Host
) -> None:
    said: list[str] = []
    watched = replace(host, heard=lambda command, done: said.append(f"{command} {done}"))
    params = {"repository": address, "ref": "main", "into": f"{tmp_path}/tree"}
    action = build("git.checkout", {**params, "username": "bot", "password": PASSWORD})

    carried_out(watched, action)

    assert (tmp_path / "tree" / ".git").is_dir()
    assert said
    assert "quoted" not in "".join(said)
    kept = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
    assert not [content for content in kept if PASSWORD.encode() in content]


def test_a_wrong_password_is_refused_without_a_question(
    address: str, tmp_path: Path, host: Host
) -> None:
    params = {"repository": address, "ref": "main", "into": f"{tmp_path}/tree"}
    action = build("git.checkout", {**params, "username": "bot", "password": "wrong"})

    with pytest.raises(ActionFailed, match="cannot be read: "):
        action.plan(host)


def test_a_deploy_key_enters_over_ssh(bare: Path, sshd: Sshd, tmp_path: Path, host: Host) -> None:
    action = build(
        "git.checkout",
        {
            "repository": f"ssh://{sshd.user}@127.0.0.1:{sshd.port}{bare}",
            "ref": "main",
            "into": f"{tmp_path}/tree",
            "key": str(sshd.key("host1")),
            "known_hosts": str(sshd.known_hosts),
        },
    )

    carried_out(host, action)

    assert (tmp_path / "tree" / ".git").is_dir()


def test_an_unknown_host_key_is_refused(bare: Path, sshd: Sshd, tmp_path: Path, host: Host) -> None:
    nobody = tmp_path / "known_nobody"
    nobody.touch()
    address = f"ssh://{sshd.user}@127.0.0.1:{sshd.port}{bare}"
    params = {"repository": address, "ref": "main", "into": f"{tmp_path}/tree"}
    more = {"key": str(sshd.key("host1")), "known_hosts": str(nobody)}

    with pytest.raises(ActionFailed, match="cannot be read: "):
        build("git.checkout", {**params, **more}).plan(host)


@pytest.fixture
def forwarded(sshd: Sshd, tmp_path: Path) -> Iterator[Host]:
    """A host over SSH, with the operator's agent forwarded; the key is on no file of the host."""
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    assert await_outcome(socket.exists, 30)
    env = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
    subprocess.run(["ssh-add", "-q", str(sshd.key("host1"))], env=env, check=True)
    config = tmp_path / "ssh_config"
    config.write_text(
        f"Host host2\n  ForwardAgent yes\n  IdentityAgent {socket}\n{sshd.config.read_text()}"
    )
    state = str(tmp_path / "state")
    host = connect(HostSpec("host2", transport="ssh", ssh_config=str(config), state_dir=state))
    yield acting(host)
    assert isinstance(host.transport, ShellTransport)
    host.transport.close()
    agent.terminate()
    agent.wait()


def test_a_forwarded_agent_enters_over_ssh(
    bare: Path, sshd: Sshd, tmp_path: Path, forwarded: Host
) -> None:
    action = build(
        "git.checkout",
        {
            "repository": f"ssh://{sshd.user}@127.0.0.1:{sshd.port}{bare}",
            "ref": "main",
            "into": f"{tmp_path}/tree",
            "known_hosts": str(sshd.known_hosts),
        },
    )

    carried_out(forwarded, action)

    assert (tmp_path / "tree" / ".git").is_dir()
