"""An ACME server of its own (pebble): it issues for `localhost`, asked on a port of ours."""

import json
import signal
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.servers.nginx import certificate, trusting
from tests.servers.program import Program, answers, free_port, program_path


@dataclass(frozen=True)
class Pebble:
    """One server; challenges of `http-01` are asked on `http_port`."""

    folder: Path
    http_port: int
    port: int
    management: int
    days: int = 90
    """How long its certificates last."""

    @classmethod
    def beside(cls, folder: Path, http_port: int) -> "Pebble":
        """A server on a free port."""
        return cls(folder, http_port, free_port(), free_port())

    @property
    def directory(self) -> str:
        """The address ACME clients are told."""
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def authority(self) -> Path:
        """The authority of the server itself, not of what it issues."""
        return self.folder / "ca.crt"

    def start(self) -> None:
        """Write its configuration and start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        certificate(self.folder)
        written = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(self.folder / "server.crt"),
            "privateKey": str(self.folder / "server.key"),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "certificateValidityPeriod": self.days * 86400,
        }
        (self.folder / "config.json").write_text(json.dumps({"pebble": written}))
        self._program.start(lambda: answers(self.port))

    def root(self) -> str:
        """The authority of the certificates it issues; a new one each time it is started."""
        return self._managed("roots/0")

    def status(self, serial: str) -> str:
        """Say what became of a certificate: `Valid` or `Revoked`; its serial in hexadecimal."""
        return str(json.loads(self._managed(f"cert-status-by-serial/{serial}"))["Status"])

    def _managed(self, path: str) -> str:
        address = f"https://127.0.0.1:{self.management}/{path}"
        context = trusting(self.authority)
        with urllib.request.urlopen(address, timeout=5, context=context) as answer:
            return str(answer.read().decode())

    def stop(self) -> None:
        """Stop it; what it issued is forgotten."""
        self._program.stop()

    def log(self) -> str:
        """What it says it did."""
        return self._program.log.read_text()

    @cached_property
    def _program(self) -> Program:
        words = (program_path("pebble"), "-config", str(self.folder / "config.json"))
        quick = (
            ("PEBBLE_VA_NOSLEEP", "1"),
            ("PEBBLE_WFE_NONCEREJECT", "0"),
            ("PEBBLE_AUTHZREUSE", "0"),
        )
        return Program("pebble", self.folder, words, stop_signal=signal.SIGTERM, env=quick)
