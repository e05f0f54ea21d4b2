"""A token server whose tokens work a number of times."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from changeover.sources.oci.listening import Listening
from changeover.sources.oci.memory import MemoryRegistry


class CountedTokens(Listening):
    """Gives tokens that work a number of times."""

    def __init__(self, lasts: int = 10**9) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.seen: list[str] = []
        self.lasts = lasts
        self.uses: dict[str, int] = {}
        self.lock = threading.Lock()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            tokens: ClassVar[list[str]] = []

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self._give(parse_qs(urlsplit(self.path).query))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._give(parse_qs(body))

            def _give(self, asked: dict[str, list[str]]) -> None:
                with outer.lock:
                    outer.asked.append(asked)
                    outer.seen.append(self.headers.get("Authorization", ""))
                    token = f"token-{len(outer.asked)}"
                    outer.uses[f"Bearer {token}"] = outer.lasts
                body = json.dumps({"access_token": token, "expires_in": 300}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def allowed(self, header: str) -> bool:
        with self.lock:
            left = self.uses.get(header, 0)
            self.uses[header] = left - 1
            return left > 0

    def guard(self, registry: MemoryRegistry) -> None:
        registry.manner.allowed = self.allowed
        realm = f"http://{self.host}/token"
        registry.manner.challenge = f'Bearer realm="{realm}",service="test"'
