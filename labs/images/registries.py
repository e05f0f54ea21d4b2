"""Registries for the lab and for benchmarks: Debian's `docker-registry`, emptied between runs."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.program import free_port

from changeover.sources.oci.network import Network


@dataclass(frozen=True)
class Address:
    """Where a registry is."""

    host: str
    authority: Path | None = None

    @property
    def network(self) -> Network:
        """How to reach it."""
        if self.authority:
            return Network(authorities=(self.authority,))
        return Network(plain_http=frozenset({self.host}))


@dataclass
class Registry:
    """A registry that runs."""

    address: Address
    folder: Path
    program: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """Its host and port."""
        return self.address.host

    @property
    def authority(self) -> Path | None:
        """The certificate to trust, where it speaks TLS."""
        return self.address.authority

    def emptied(self) -> None:
        """Remove everything in it, and start it anew."""
        self.program.terminate()
        self.program.wait()
        shutil.rmtree(self.folder / "storage", ignore_errors=True)
        self.program = started(self.folder, self.host, tls=self.authority is not None)


@contextmanager
def registry(folder: Path, *, tls: bool = False) -> Iterator[Registry]:
    """Start a registry on a free port; it is ended on leaving."""
    folder.mkdir(parents=True)
    host = f"127.0.0.1:{free_port()}"
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "storage")},
            "delete": {"enabled": True},
        },
        "http": {"addr": host, "secret": "lab"},
    }
    authority = None
    if tls:
        key, authority = folder / "key.pem", folder / "cert.pem"
        subprocess.run(
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            f"-subj /CN=bench -keyout {key} -addext subjectAltName=IP:127.0.0.1 "
            f"-out {authority}".split(),
            check=True,
            capture_output=True,
        )
        config["http"]["tls"] = {"certificate": str(authority), "key": str(key)}  # type: ignore[index]  # a mapping
    (folder / "config.yml").write_text(json.dumps(config))
    found = Registry(Address(host, authority), folder, started(folder, host, tls=tls))
    try:
        yield found
    finally:
        found.program.terminate()
        found.program.wait()


def started(folder: Path, host: str, *, tls: bool) -> subprocess.Popen[bytes]:
    """Start the program and wait until it answers."""
    with (folder / "log").open("ab") as log:
        program = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log
        )
    for _ in range(500):
        if _answers(host, tls=tls):
            return program
        time.sleep(0.02)
    raise AssertionError("the registry does not answer")


def _answers(host: str, *, tls: bool) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = (
        http.client.HTTPSConnection(host, timeout=2, context=context)
        if tls
        else http.client.HTTPConnection(host, timeout=2)
    )
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
