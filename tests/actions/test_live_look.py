"""Questions, waiting and telling, against real ports, files and an HTTP server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from tests.actions.deploy_host import build, carried_out, this_machine
from tests.servers.program import free_port

pytestmark = pytest.mark.live


class Service(ThreadingHTTPServer):
    """Answers what it is told to, and remembers what was posted."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.code, self.body = 200, json.dumps({"database": "ok", "items": [{"name": "a"}]})
        self.posted: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Answering(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self._answer(self.server.code, self.server.body)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.posted.append((self.path, self.rfile.read(length).decode()))
        self._answer(self.server.code, "")

    def _answer(self, code: int, body: str) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    here = this_machine(tmp_path)
    yield here
    here.transport.close()


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_is_judged_by_code_text_and_values(service: Service, host: Host) -> None:
    wanted = {"database": "ok", "items.0.name": "a"}
    params = {"url": service.url, "contains": "database", "json": wanted}

    assert carried_out(host, build("http.check", params)).effect == "none"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"expect": 204}, "it answers 200: "),
        ({"contains": "goodbye"}, "the text is not in it: "),
        ({"json": {"database": "down"}}, "database is 'ok'"),
        ({"json": {"items.7.name": "a"}}, "items.7.name is None"),
    ],
)
def test_a_wrong_answer_is_shown(
    service: Service, host: Host, more: dict[str, object], message: str
) -> None:
    action = build("http.check", {"url": service.url, **more})

    with pytest.raises(ActionFailed, match=message):
        carried_out(host, action)


def test_a_right_answer_is_awaited(service: Service, host: Host) -> None:
    service.code = 503
    action = build("http.check", {"url": service.url, "within": 20})
    change = action.plan(host)
    timer = threading.Timer(0.4, setattr, (service, "code", 200))
    timer.start()

    action.verify(host, change)

    timer.join()
    assert change.effect == "run"


def test_nobody_answering_is_said_in_curls_words(host: Host) -> None:
    action = build("http.check", {"url": f"http://127.0.0.1:{free_port()}/"})

    with pytest.raises(ActionFailed, match="connect"):
        carried_out(host, action)


def test_a_name_is_resolved_to_a_given_address(service: Service, host: Host) -> None:
    port = service.server_address[1]
    params = {"url": f"http://shop.example:{port}/", "resolve": "127.0.0.1"}

    assert not build("http.check", params).plan(host).needed


def test_a_port_is_seen_open_then_closed(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        carried_out(host, build("wait.port", {"port": port, "within": 0}))
    carried_out(host, build("wait.port", {"port": port, "until": "closed", "within": 0}))

    with pytest.raises(ActionFailed, match="nobody answers"):
        carried_out(host, build("wait.port", {"port": port, "within": 0}))


def test_a_port_is_idle_once_its_last_connection_is_gone(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        caller = socket.create_connection(("127.0.0.1", port))
        callee, _ = listener.accept()
        action = build("wait.port", {"port": port, "until": "idle", "within": 20})

        change = action.plan(host)

        assert change.needed
        callee.close()
        caller.close()
        action.verify(host, change)


def test_the_end_of_the_time_can_be_tolerated(host: Host) -> None:
    params = {"port": free_port(), "within": 0, "tolerate": True}

    carried_out(host, build("wait.port", params))


def test_a_command_is_asked_until_it_says_yes(tmp_path: Path, host: Host) -> None:
    file = tmp_path / "queue"
    file.write_text("busy 3")
    params = {"words": ["cat", str(file)], "matches": "^idle$", "within": 20, "what": "it is idle"}
    action = build("wait.command", params)
    change = action.plan(host)
    timer = threading.Timer(0.3, file.write_text, ("idle",))
    timer.start()

    action.verify(host, change)

    timer.join()
    assert change.summary == "make sure that it is idle"


def test_a_command_that_never_says_yes_is_quoted(host: Host) -> None:
    action = build("wait.command", {"words": ["sh", "-c", "echo no >&2; exit 3"], "within": 0})

    with pytest.raises(ActionFailed, match="exit code 3: no"):
        carried_out(host, action)


@pytest.mark.parametrize(("gib", "effect"), [(0.000001, "none"), (1e9, "run")])
def test_room_is_measured_where_a_path_will_be(
    tmp_path: Path, host: Host, gib: float, effect: str
) -> None:
    action = build("disk.free", {"path": f"{tmp_path}/not/yet/there", "gib": gib})

    assert action.plan(host).effect == effect


def test_a_taken_port_names_who_has_it(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        said = build("port.free", {"port": taken}).plan(host)
        allowed = build("port.free", {"port": taken, "unless": ["python", "python3"]})

    assert "listens there" in said.summary
    assert not build("port.free", {"port": taken}).plan(host).needed
    assert not allowed.plan(host).needed


@pytest.mark.parametrize(
    ("params", "effect"),
    [
        ({"program": "git"}, "none"),
        ({"program": "git", "version": ">=2.0"}, "none"),
        ({"program": "git", "version": "<1"}, "run"),
        ({"program": "no-such-program"}, "run"),
    ],
)
def test_a_program_is_looked_for_with_its_version(
    host: Host, params: dict[str, object], effect: str
) -> None:
    assert build("program.present", params).plan(host).effect == effect


def test_a_confirmation_asks_its_question(host: Host) -> None:
    change = carried_out(host, build("confirm", {"question": "Is the ticket open?"}))

    assert change.question == "Is the ticket open?"


def test_an_announcement_is_posted_once_however_often_it_is_tried(
    service: Service, host: Host
) -> None:
    text = 'Down for "five" minutes\nç'
    said: list[str] = []
    watched = replace(host, heard=lambda command, done: said.append(f"{command} {done}"))
    action = build("announce", {"message": text, "url": f"{service.url}hook?t=s3cret"})
    change = carried_out(watched, action)

    action.apply(watched, change)

    ((path, body),) = service.posted
    assert (path, json.loads(body)) == ("/hook?t=s3cret", {"text": text})
    assert len(said) == 2
    assert "s3cret" not in "".join(said)


def test_an_announcement_may_go_to_a_command(tmp_path: Path, host: Host) -> None:
    carried_out(host, build("announce", {"message": "hi", "words": ["tee", f"{tmp_path}/said"]}))

    assert (tmp_path / "said").read_text() == "hi\n"


def test_an_announcement_nobody_takes_fails(service: Service, host: Host) -> None:
    service.code = 500
    action = build("announce", {"message": "hi", "url": service.url})

    with pytest.raises(ActionFailed):
        carried_out(host, action)


@pytest.mark.parametrize(
    ("use", "params"),
    [
        ("announce", {"message": "hi"}),
        ("wait.port", {"port": 70000}),
        ("port.free", {"port": 0}),
        ("wait.command", {"words": ["x"], "matches": "("}),
        ("http.check", {"url": "shop.example"}),
        ("deploy.prune", {"releases": "/srv", "links": ["/srv/x"]}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(use: str, params: dict[str, object]) -> None:
    with pytest.raises(InvalidRelease):
        build(use, params)
