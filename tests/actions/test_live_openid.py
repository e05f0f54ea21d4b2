"""`openid.callback` asks a provider that keeps to the standard."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.model.findings import Severity
from tests.actions.live import acting, planned, this_machine

pytestmark = pytest.mark.live

KNOWN = ("shop", "https://shop.example/api/auth/callback/")


class Provider(BaseHTTPRequestHandler):
    """Redirects to its login for the client it knows; else refuses, as the standard says."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/.well-known/openid-configuration":
            here = self.headers["Host"]
            self.answer(200, json.dumps({"authorization_endpoint": f"http://{here}/in"}))
            return
        words = parse_qs(asked.query)
        client = (words["client_id"][0], words["redirect_uri"][0])
        self.answer(302 if client == KNOWN else 400, "")

    def answer(self, code: int, body: str) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_words: object) -> None:
        return


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_says_whether_it_knows_a_callback(provider: str, tmp_path: Path) -> None:
    host = this_machine(tmp_path)
    client, callback = KNOWN
    known, change = planned("openid.callback", host, issuer=provider, client_id=client,
                            callback=callback)  # fmt: skip
    other = build("openid.callback", {"issuer": f"{provider}/", "client_id": client,
                                      "callback": "https://other.example/"})  # fmt: skip
    nobody = build("openid.callback", {"issuer": "http://127.0.0.1:1", "client_id": client,
                                       "callback": callback})  # fmt: skip

    known.verify(acting(host), change)
    assert [f.severity for f in known.check(host)] == [Severity.PASS]
    for wrong, said in ((other, "refuses client and callback"), (nobody, "is no OpenID provider")):
        with pytest.raises(ActionFailed, match=said):
            wrong.verify(acting(host), change)
    host.transport.close()
