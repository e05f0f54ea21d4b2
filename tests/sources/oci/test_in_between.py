"""What stands between us and a registry: nginx with a limit on bodies, a proxy for TLS."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.servers.program import free_port
from tests.sources.oci.cutting import Relay
from tests.sources.oci.servers import Server, docker_registry
from tests.sources.oci.setting import client_to, copied, one, pushed, quick
from tests.sources.oci.test_real import self_signed, sound

from changeover.sources.oci import sample
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.network import Network

pytestmark = pytest.mark.live

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size {limit}; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  server {{
    listen {host};
    location / {{ proxy_pass http://{to}; proxy_set_header Host $http_host; }}
  }}
}}
"""


@contextlib.contextmanager
def nginx(to: str, folder: Path, limit: str) -> Iterator[str]:
    """Put nginx in front of a registry."""
    folder.mkdir()
    host = f"127.0.0.1:{free_port()}"
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, host=host, to=to, limit=limit))
    program = subprocess.Popen(["nginx", "-c", str(file), "-e", str(folder / "error.log")])
    try:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            name, _, port = host.rpartition(":")
            with contextlib.suppress(OSError), socket.create_connection((name, int(port)), 1):
                break
            time.sleep(0.02)
        yield host
    finally:
        program.terminate()
        program.wait()


def test_bodies_that_are_too_large_for_nginx_are_sent_in_chunks(
    source: MemoryRegistry, debian: Server, tmp_path: Path
) -> None:
    pushed(source, "app", "1", sample.image([sample.layer(3, 9 << 20)]))

    with nginx(debian.host, tmp_path / "nginx", "4m") as host, client_to(source.host, host) as c:
        one(copied(c, [f"{source.host}/app:1"], f"docker://{host}/chunks:1"))

        assert c.registry(host).uploader.chunk == 4 << 20
        assert sound(c, host, "chunks")
        assert c.notes() == []
    assert [u for u in debian.uploads() if "chunks" in u.parts] == []


def test_a_download_that_is_cut_goes_on_at_debians_registry(
    source: MemoryRegistry, debian: Server
) -> None:
    with (
        Relay(debian.host, down=700_000) as relay,
        client_to(source.host, relay.host, debian.host) as client,
    ):
        registry = client.registry(debian.host)
        sample.push(registry, "resumed", "1", sample.image([sample.layer(4, 1_500_000)]))

        result = one(copied(client, [f"{relay.host}/resumed:1"], f"docker://{source.host}/r:1"))

    assert relay.cuts == 1
    assert result.bytes < 1_600_000


class ConnectProxy(Relay):
    """A proxy that is asked by CONNECT where to go, and remembers it."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1")
        self.asked: list[str] = []

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                self.asked.append(head.decode())
                name, _, port = head.split()[1].decode().rpartition(":")
                server = socket.create_connection((name, int(port)))
                client.sendall(b"HTTP/1.1 200 here you are\r\n\r\n")
                self._open += [client, server]
                self._start(self._pass, client, server, "up")
                self._start(self._pass, server, client, "down")


def test_tls_goes_through_a_proxy_that_sees_its_password_and_nothing_else(
    source: MemoryRegistry, tmp_path: Path
) -> None:
    pushed(source, "app", "1", sample.image([sample.layer(5, 300_000)]))
    certificate, key = self_signed(tmp_path)
    with docker_registry(tmp_path / "own", tls=(certificate, key)) as own, ConnectProxy() as proxy:
        environ = {"HOME": "/nonexistent", "https_proxy": f"http://me:s3cret@{proxy.host}"}
        network = Network(frozenset({source.host}), authorities=(certificate,), environ=environ)
        with Client(Settings(network, quick())) as client:
            one(copied(client, [f"{source.host}/app:1"], f"docker://{own.host}/app:1"))
        seen = list(proxy.asked)
        direct = replace(network, environ={**environ, "no_proxy": "127.0.0.1"})
        with Client(Settings(direct, quick())) as client:
            assert sound(client, own.host, "app")

    assert seen
    assert all(head.startswith(f"CONNECT {own.host} ") for head in seen)
    assert all("Proxy-Authorization: Basic bWU6czNjcmV0" in head for head in seen)
    assert proxy.asked == seen
