"""nginx actions against an nginx of its own, on free ports."""

from __future__ import annotations

import socket
import urllib.request
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, planned, undone
from tests.servers.nginx import Nginx
from tests.servers.program import await_outcome, free_port, program_path

pytestmark = pytest.mark.live


@pytest.fixture
def port() -> int:
    return free_port()


def words(nginx: Nginx) -> dict[str, Any]:
    return {
        "program": program_path("nginx"),
        "config": str(nginx.config),
        "prefix": str(nginx.folder),
    }


def site(nginx: Nginx) -> dict[str, Any]:
    """A layout with available and enabled sites, in the folder of the test's nginx."""
    available = nginx.folder / "available"
    available.mkdir(exist_ok=True)
    return {"site": "shop.conf", "folder": str(available), "enabled_in": str(nginx.sites)}


def serving(port: int, text: str) -> str:
    return f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{text}'; }} }}\n"


def answer(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as reply:
        return str(reply.read().decode())


def test_a_site_is_written_enabled_and_served(nginx: Nginx, host: Host, port: int) -> None:
    params = site(nginx) | words(nginx)

    first = applied("nginx.site", host, content=serving(port, "one"), **params)
    assert answer(port) == "one"
    second = applied("nginx.site", host, content=serving(port, "two"), **params)
    assert answer(port) == "two"

    undone(second[0], host, second[1])
    assert answer(port) == "one"
    undone(first[0], host, first[1])
    with pytest.raises(OSError, match="refused"):
        answer(port)
    assert list(nginx.sites.iterdir()) == []


def test_a_site_nginx_refuses_is_taken_back_at_once(nginx: Nginx, host: Host, port: int) -> None:
    params = site(nginx) | words(nginx)
    applied("nginx.site", host, content=serving(port, "one"), **params)
    workers = nginx.workers()
    action, change = planned("nginx.site", host, content="\nserver { oops; }", **params)

    with pytest.raises(ActionFailed, match=r'shop.conf:2: unknown directive "oops"') as caught:
        action.apply(acting(host), change)

    assert "nothing was loaded" in caught.value.remedy
    assert answer(port) == "one"
    assert nginx.workers() == workers
    nginx.test()


def test_what_cannot_be_loaded_is_taken_back_too(nginx: Nginx, host: Host) -> None:
    params = site(nginx) | words(nginx) | {"within": 1.0}
    # `nginx -t` does not mind a port that is taken: only the reload finds out.
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        action, change = planned("nginx.site", host, content=serving(port, "x"), **params)

        with pytest.raises(ActionFailed, match="goes on with its old workers") as caught:
            action.apply(acting(host), change)

    assert f"127.0.0.1:{port} failed" in caught.value.remedy
    assert list(nginx.sites.iterdir()) == []


def test_a_snippet_is_written_and_undone(nginx: Nginx, host: Host, port: int) -> None:
    snippet = nginx.folder / "snippet.conf"
    snippet.write_text("return 200 'old';")
    text = f"server {{ listen 127.0.0.1:{port}; location / {{ include {snippet}; }} }}"
    applied("nginx.site", host, content=text, **site(nginx), **words(nginx))

    action, change = applied(
        "nginx.snippet", host, path=str(snippet), content="return 200 'new';", **words(nginx)
    )

    assert answer(port) == "new"
    undone(action, host, change)
    assert answer(port) == "old"


def test_a_reload_is_confirmed_by_new_workers(nginx: Nginx, host: Host) -> None:
    workers = nginx.workers()

    applied("nginx.reload", host, **words(nginx))

    assert not nginx.workers() & workers


def test_a_reload_without_a_running_nginx_says_so(nginx: Nginx, host: Host) -> None:
    nginx.stop()
    action, change = planned("nginx.reload", host, **words(nginx))

    with pytest.raises(ActionFailed, match="nginx does not run"):
        action.apply(acting(host), change)


def test_a_refused_configuration_is_never_loaded(nginx: Nginx, host: Host) -> None:
    nginx.write_site("broken", "server { listen }")
    workers = nginx.workers()
    action, change = planned("nginx.reload", host, **words(nginx))

    with pytest.raises(ActionFailed, match=r"broken.conf:1: "):
        action.apply(acting(host), change)

    assert nginx.workers() == workers
    found = [f.message for f in action.check(host) if f.severity is Severity.FAIL]
    assert found[0].startswith("nginx refuses its configuration as it is now: ")


def test_a_program_that_is_not_there_is_found_beforehand(host: Host) -> None:
    action = build("nginx.reload", {"program": "no-such-nginx"})

    found = [f.message for f in action.check(host) if f.severity is Severity.FAIL]

    assert found == ["no-such-nginx: no such program"]
    with pytest.raises(ActionFailed, match="no such program"):
        action.plan(host)


def test_a_site_that_was_written_and_not_loaded_is_noticed(
    nginx: Nginx, host: Host, port: int
) -> None:
    params = site(nginx) | words(nginx)
    applied("nginx.site", host, content=serving(port, "one"), **params)
    path = nginx.folder / "available" / "shop.conf"
    late = build("nginx.site", {"content": serving(port, "two"), **params})

    def written_after_a_while() -> bool:
        path.write_text(serving(port, "two"))
        return late.plan(host).needed

    assert await_outcome(written_after_a_while, 30)
    assert "changed since it last did" in late.plan(host).summary
    assert answer(port) == "one"
