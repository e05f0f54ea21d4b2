"""An nginx and an ACME server, the certificate between them, and users who ask for pages."""

from __future__ import annotations

import ssl
import subprocess
import threading
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.nginx import Nginx
from tests.servers.pebble import Pebble

PLAIN = """
server {{
    listen 127.0.0.1:{http};
    location /.well-known/acme-challenge/ {{ root {root}; }}
    location / {{ return 200 "well"; }}
}}
"""
SECURE = """
server {{
    listen 127.0.0.1:{https} ssl;
    server_name localhost;
    ssl_certificate {live}/fullchain.pem;
    ssl_certificate_key {live}/privkey.pem;
    location / {{ return 200 "well"; }}
}}
"""


@dataclass
class Users:
    """Ask for pages without a pause, on a new connection each time."""

    port: int
    requests: int = 0
    failed: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Users:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    def _ask(self) -> None:
        anything = ssl.create_default_context()
        anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
        while not self.over.wait(0.02):
            self.requests += 1
            try:
                address = f"https://127.0.0.1:{self.port}/"
                with urllib.request.urlopen(address, timeout=5, context=anything) as answer:
                    answer.read()
            except OSError as error:
                self.failed.append(str(error))


@dataclass(frozen=True)
class Setting:
    """An nginx, an ACME server, and certbot's folder between them."""

    nginx: Nginx
    pebble: Pebble
    folder: Path
    https: int

    @property
    def common(self) -> dict[str, Any]:
        return {
            "certificate": "localhost",
            "folder": str(self.folder),
            "ca": str(self.pebble.authority),
            "reload": " ".join([*self.nginx.words, "-s", "reload"]),
        }

    @property
    def issue(self) -> dict[str, Any]:
        return {**self.common, "webroot": str(self.root), "server": self.pebble.directory}

    @property
    def root(self) -> Path:
        return self.nginx.folder / "www"

    def serve(self) -> None:
        """Serve what was issued."""
        live = self.folder / "live/localhost"
        self.nginx.write_site(f"secure-{self.https}", SECURE.format(https=self.https, live=live))
        self.nginx.reload()

    def served(self) -> str:
        """The serial number users get."""
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.https}", "-servername",
                 "localhost"]  # fmt: skip
        shown = subprocess.run(words, input="", capture_output=True, text=True, check=True).stdout
        told = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown,
                              capture_output=True, text=True, check=True)  # fmt: skip
        return told.stdout.strip().partition("=")[2]
