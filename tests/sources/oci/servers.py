"""Real registries on free ports: `docker-registry` with the configuration a test wants."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.program import free_port
from tests.sources.oci.small_disk import on_small_disk

PROGRAM = shutil.which("docker-registry") or "docker-registry"


@dataclass
class Server:
    """A registry that runs."""

    host: str
    folder: Path
    program: subprocess.Popen[bytes]
    command: list[str]
    tls: bool = False

    @property
    def storage(self) -> Path:
        return self.folder / "storage" / "docker" / "registry" / "v2"

    def blob_file(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.storage / "blobs" / algorithm / value[:2] / value / "data"

    def uploads(self) -> list[Path]:
        """Upload sessions that are still there; a cancelled one leaves an empty husk."""
        return list(self.storage.glob("repositories/**/_uploads/*/startedat"))

    def stop(self) -> None:
        self.program.terminate()
        self.program.wait()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.program = subprocess.Popen(self.command, stdout=log, stderr=log)
        _await(self.host, self.program, tls=self.tls)


@contextlib.contextmanager
def docker_registry(
    folder: Path,
    *,
    auth: dict[str, Any] | None = None,
    tls: tuple[Path, Path] | None = None,
    delete: bool = True,
    client_authority: Path | None = None,
    mebibytes: int = 0,
) -> Iterator[Server]:
    """Start Debian's registry, on a disk of its own where a size is given; ended on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    host = f"127.0.0.1:{free_port()}"
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "storage")},
            "delete": {"enabled": delete},
        },
        "http": {"addr": host, "secret": "tests"},
    }
    if auth:
        config["auth"] = auth
    if tls:
        config["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
    if client_authority:
        config["http"]["tls"]["clientcas"] = [str(client_authority)]
    (folder / "config.yml").write_text(json.dumps(config))
    command = [PROGRAM, "serve", str(folder / "config.yml")]
    if mebibytes:
        command = on_small_disk(folder / "storage", mebibytes, command)
    with (folder / "log").open("ab") as log:
        program = subprocess.Popen(command, stdout=log, stderr=log)
    server = Server(host, folder, program, command, tls is not None)
    try:
        _await(host, program, tls=tls is not None)
        yield server
    finally:
        server.program.terminate()
        server.program.wait()


def _await(host: str, program: subprocess.Popen[bytes], *, tls: bool) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        assert program.poll() is None, "the registry did not start"
        if _answers(host, tls=tls):
            return
        time.sleep(0.02)
    raise AssertionError("the registry does not answer")


def _answers(host: str, *, tls: bool) -> bool:
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, timeout=2, context=context)
    else:
        connection = http.client.HTTPConnection(host, timeout=2)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status in (200, 401)
    except ssl.SSLError as refused:
        return "CERTIFICATE" in str(refused)
    except OSError:
        return False
    finally:
        connection.close()
