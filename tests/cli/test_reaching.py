"""`instance ping` says at which stage the way ends; `instance tunnel` holds and comes back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import InvalidInput
from changeover.hosts.tunnel import parse_forward
from tests.instances.ansible.project import make_project
from tests.servers.program import await_outcome, free_port
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.live


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CHANGEOVER_INSTANCE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def instance(place: Path, sshd: Sshd, **host: object) -> None:
    described = {"ssh_config": str(sshd.config), "address": "host1", "roles": ["web"], **host}
    whole = {"format": 1, "name": "prod", "product": "shop", "hosts": {"web1": described}}
    (place / "instance.yaml").write_text(json.dumps(whole))


def pinged(*words: str) -> Result:
    return CliRunner().invoke(changeover, ["instance", "ping", *words])


def trouble(result: Result, code: int = 5) -> str:
    assert result.exit_code == code, (result.output, result.exception)
    assert "  → " in result.output
    return result.output.split("no pong: ")[1].partition(":")[0]


def test_a_host_that_answers_says_who_we_are(place: Path, sshd: Sshd) -> None:
    instance(place, sshd)

    result = pinged()
    shown = json.loads(pinged("web", "-o", "json").output)

    assert result.exit_code == 0, result.output
    assert f"web1: pong, as {sshd.user}, " in result.output
    assert shown[0]["answers"] is True
    assert isinstance(pinged("nobody").exception, InvalidInput)


def test_a_name_that_is_not_known(place: Path, sshd: Sshd) -> None:
    instance(place, sshd, address="nobody.invalid")

    assert trouble(pinged()) == "name"


def test_a_jump_host_that_nobody_answers_at(place: Path, sshd: Sshd) -> None:
    instance(place, sshd, options={"ProxyJump": f"127.0.0.1:{free_port()}"})

    result = pinged()

    assert trouble(result) == "network"
    assert "is not reached through its jump host" in result.output
    assert "refused" in result.output


def test_a_port_that_refuses(place: Path, sshd: Sshd) -> None:
    instance(place, sshd, port=free_port())

    assert trouble(pinged()) == "refused"


@contextmanager
def listening(said: bytes) -> Iterator[int]:
    """Listen on a port; say something to everybody, or nothing for as long as they wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    lines.append(server.accept()[0])
                    lines[-1].sendall(said)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for line in lines:
                line.close()


def test_a_host_that_is_silent(place: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeover.hosts.ping.PATIENCE", 0.5)
    with listening(b"") as port:
        instance(place, sshd, port=port, options={"ConnectTimeout": "1"})

        assert trouble(pinged()) == "timeout"


def test_an_sshd_that_saw_logins_fail(place: Path, sshd: Sshd) -> None:
    with listening(b"Not allowed at this time\r\n") as port:
        instance(place, sshd, port=port, options={"ConnectTimeout": "2"})

        assert trouble(pinged()) == "turned-away"


def test_something_that_is_no_sshd(place: Path, sshd: Sshd) -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        instance(place, sshd, port=port, options={"ConnectTimeout": "2"})

        assert trouble(pinged()) == "no-sshd"


def test_a_host_key_that_is_unknown_or_another(place: Path, sshd: Sshd) -> None:
    known = place / "known"
    known.touch()
    instance(place, sshd, options={"UserKnownHostsFile": str(known)})
    unknown = pinged()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "k"], check=True)
    other = " ".join((place / "k.pub").read_text().split()[:2])
    known.write_text(f"[127.0.0.1]:{sshd.port} {other}\n")
    changed = pinged()

    assert trouble(unknown) == trouble(changed) == "host-key"
    assert "is not known here" in unknown.output
    assert "shows another host key than it did" in changed.output


def test_a_key_that_does_not_let_in(place: Path, sshd: Sshd) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "k"], check=True)
    options = {
        "IdentityFile": str(place / "k"),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": str(sshd.known_hosts),
    }
    way = {"address": "127.0.0.1", "port": sshd.port, "user": sshd.user}
    instance(place, sshd, **way, ssh_config="/dev/null", options=options)

    assert trouble(pinged()) == "auth"


def test_an_account_without_a_shell(place: Path, own_sshd: Sshd) -> None:
    keys = own_sshd.folder / "authorized_keys"
    enter = str(own_sshd.folder / "enter")
    keys.write_text(keys.read_text().replace(enter, "/bin/false", 1))
    instance(place, own_sshd)

    assert trouble(pinged()) == "shell"


def test_sudo_that_refuses(place: Path, own_sshd: Sshd) -> None:
    programs = place / "bin"
    programs.mkdir()
    for name, body in (("id", "echo 1000"), ("sudo", "echo not in sudoers >&2; exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (own_sshd.home("host1") / ".environment").write_text(f"PATH={programs}:$PATH; export PATH\n")
    instance(place, own_sshd, become="sudo")

    assert trouble(pinged(), code=3) == "sudo"


class Site(BaseHTTPRequestHandler):
    said = "the site of the host"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.said.encode())

    def log_message(self, *_words: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[int]:
    """Serve on a port of its own, as the host's site or the laptop's database."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def body(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_a_tunnel_leads_both_ways_comes_back_and_closes(
    place: Path, own_sshd: Sshd, site: int
) -> None:
    instance(place, own_sshd)
    there, here = free_port(), free_port()
    words = ["-R", f"{there}:localhost:{site}", "-L", f"{here}:localhost:{site}"]
    program = [sys.executable, "-m", "changeover.cli.main", "instance", "tunnel", *words]

    with (place / "said").open("w") as said:
        process = subprocess.Popen(program, stdout=said, stderr=subprocess.STDOUT)

    def leads(times: int) -> bool:
        told = (place / "said").read_text()
        both = told.count("open to web1") == times and body(there) == body(here) == Site.said
        return process.poll() is not None or both

    try:
        await_outcome(lambda: leads(1), 30)
        own_sshd.cut()
        await_outcome(lambda: not body(here), 30)
        own_sshd.start()
        await_outcome(lambda: leads(2), 30)
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(20)

    told = (place / "said").read_text()
    assert code == 0, told
    assert told.count("open to web1") == 2
    assert "lost (" in told
    assert f"127.0.0.1:{there} on web1 leads to localhost:{site} as seen from here" in told
    assert not body(here)
    assert not body(there)


def test_a_tunnel_whose_port_is_taken_is_refused_at_once(
    place: Path, sshd: Sshd, site: int
) -> None:
    instance(place, sshd)
    began = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-m", "changeover.cli.main", "instance", "tunnel", "-L", str(site)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ},
    )  # fmt: skip

    assert done.returncode == 5
    assert "no tunnel" in done.stderr
    assert time.monotonic() - began < 30


def test_forwards_are_read_as_ssh_reads_them() -> None:
    assert parse_forward("R", "5432").word == "127.0.0.1:5432:localhost:5432"
    assert parse_forward("L", "3080:localhost:80").word == "127.0.0.1:3080:localhost:80"
    assert parse_forward("L", "db.example:5432").word == "127.0.0.1:5432:db.example:5432"
    for wrong in ("", "x", "0", "70000", "a b:1:2", "1:-oProxyCommand=x:"):
        with pytest.raises(InvalidInput):
            parse_forward("L", wrong)


def test_an_environment_that_lacks_variables_is_pinged_all_the_same(
    place: Path, sshd: Sshd
) -> None:
    ansible = make_project(place)
    environment = ansible / "environments" / "bare"
    environment.mkdir()
    (environment / "hosts").write_text(
        f"[web]\nweb-test ansible_host=host1 ansible_ssh_common_args='-F {sshd.config}'\n"
    )
    (environment / "secrets").write_text("{}  # nothing secret\n")

    result = pinged("-i", str(environment))

    assert result.exit_code == 0, (result.output, result.exception)
    assert f"web-test: pong, as {sshd.user}" in result.output
