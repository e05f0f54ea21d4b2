"""Certificates from a real ACME server, proven through a real nginx, while users ask for pages."""

from __future__ import annotations

import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.command import command
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.model.instance import HostSpec
from changeover.model.plan import Effect
from tests.actions.live import acting, applied, planned, this_machine, undone
from tests.servers.container import ContainerHost
from tests.servers.nginx import Nginx
from tests.servers.pebble import Pebble
from tests.servers.program import free_port

pytestmark = pytest.mark.live
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


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nginx, Pebble]]:
    """An nginx that serves challenges, and an ACME server that asks it."""
    folder, http = tmp_path_factory.mktemp("acme"), free_port()
    nginx = Nginx(folder / "nginx")
    nginx.sites.mkdir(parents=True)
    nginx.write_site("plain", PLAIN.format(http=http, root=folder / "nginx/www"))
    nginx.start()
    pebble = Pebble.beside(folder / "pebble", http)
    pebble.start()
    yield nginx, pebble
    pebble.stop()
    nginx.stop()


@pytest.fixture
def setting(servers: tuple[Nginx, Pebble], tmp_path: Path) -> Setting:
    return Setting(*servers, tmp_path / "letsencrypt", free_port())


@pytest.fixture(scope="module")
def serving(servers: tuple[Nginx, Pebble], tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """One with a certificate in service, for tests that only look."""
    folder = tmp_path_factory.mktemp("serving")
    found = Setting(*servers, folder / "letsencrypt", free_port())
    here = this_machine(folder / "state")
    issued(found, here)
    here.transport.close()
    return found


def issued(setting: Setting, host: Host) -> None:
    applied("certificate.issue", host, **setting.issue)
    setting.serve()


def archived(setting: Setting) -> list[str]:
    return sorted(path.name for path in (setting.folder / "archive/localhost").glob("cert*.pem"))


def test_a_certificate_is_issued_once(setting: Setting, host: Host) -> None:
    applied("certificate.issue", host, **setting.issue)

    assert archived(setting) == ["cert1.pem"]
    _, again = planned("certificate.issue", host, **setting.issue)
    assert again.effect is Effect.NONE
    assert "90 days left" in again.summary or "89 days left" in again.summary


def test_what_cannot_be_proven_is_not_issued(setting: Setting, host: Host) -> None:
    params = {**setting.issue, "webroot": str(setting.folder / "elsewhere")}
    action, change = planned("certificate.issue", host, **params)

    with pytest.raises(ActionFailed, match="certbot"):
        action.apply(acting(host), change)


def test_a_certificate_that_lasts_is_not_renewed_unless_asked(setting: Setting, host: Host) -> None:
    issued(setting, host)
    _, change = planned("certificate.renew", host, **setting.common)
    assert change.effect is Effect.NONE

    with Users(setting.https) as users:
        params = {**setting.common, "force": True, "port": setting.https}
        action, change = planned("certificate.renew", host, **params)
        old = setting.served()
        now = acting(host)
        action.apply(now, change)
        action.apply(now, change)
        action.verify(now, change)

    assert archived(setting) == ["cert1.pem", "cert2.pem"]
    assert setting.served() != old
    assert users.requests > 10
    assert users.failed == []


def test_one_near_its_end_is_renewed(setting: Setting, host: Host) -> None:
    issued(setting, host)
    near = {**setting.common, "days": 100, "port": setting.https}

    action, change = planned("certificate.renew", host, **near)
    action.apply(acting(host), change)
    action.verify(acting(host), change)

    assert archived(setting) == ["cert1.pem", "cert2.pem"]


def test_the_old_one_is_revoked_after_the_new_one_is_served(setting: Setting, host: Host) -> None:
    issued(setting, host)
    old = setting.served()
    params = {**setting.common, "port": setting.https, "reason": "superseded"}
    action, change = planned("certificate.revoke", host, **params)
    now = acting(host)

    with Users(setting.https) as users:
        action.apply(now, change)
        action.apply(acting(host), change)  # another attempt, after a crash behind everything
        action.verify(now, change)

    assert "cert1.pem" in change.summary
    assert "1 of 5 a week" in change.summary
    assert setting.served() != old
    assert users.failed == []
    said = setting.pebble.log().lower()
    assert "revoked" in said or "/revoke-cert" in said
    assert archived(setting) == ["cert1.pem", "cert2.pem"]


@pytest.mark.parametrize("name", ["certificate.renew", "certificate.revoke"])
def test_what_was_issued_before_a_kill_is_loaded_and_not_issued_again(
    setting: Setting, host: Host, name: str
) -> None:
    issued(setting, host)
    old = setting.served()
    params = {**setting.common, "port": setting.https}
    forced = {"force": True} if name == "certificate.renew" else {}
    action, change = planned(name, host, **params, **forced)
    # certbot, killed between the new certificate and its hook
    unloaded = {**setting.common, "force": True, "reload": "true"}
    cut, its_change = planned("certificate.renew", host, **unloaded)
    cut.apply(acting(host), its_change)
    assert setting.served() == old

    action.apply(acting(host), change)
    action.verify(acting(host), change)

    assert setting.served() != old
    assert archived(setting) == ["cert1.pem", "cert2.pem"]


def test_a_revocation_is_refused_where_no_replacement_would_come(
    serving: Setting, host: Host
) -> None:
    action = build("certificate.revoke", {**serving.common, "port": serving.https})
    for number in range(2, 6):
        source = serving.folder / "archive/localhost/cert1.pem"
        source.with_name(f"cert{number}.pem").write_bytes(source.read_bytes())

    try:
        failures = [f for f in action.check(host) if f.severity is Severity.FAIL]
    finally:
        for number in range(2, 6):
            (serving.folder / f"archive/localhost/cert{number}.pem").unlink()

    assert "5 of 5 for localhost" in failures[0].message
    assert "not known here" in failures[0].message
    assert "wait until" in failures[0].remedy


def test_the_list_tells_what_is_served_and_who_renews(serving: Setting, host: Host) -> None:

    _, change = planned("certificate.list", host, folder=str(serving.folder), port=serving.https)

    lines = change.summary.splitlines()
    assert lines[0] == "localhost: localhost"
    assert lines[1].endswith("days left; served")
    assert serving.served() in lines[2]
    assert change.effect is Effect.NONE


def test_a_certificate_is_judged_on_the_wire(serving: Setting, host: Host) -> None:
    asked = {"domain": "localhost", "port": serving.https}

    assert not build("certificate.valid", {**asked, "days": 30}).plan(host).needed
    short = build("certificate.valid", {**asked, "days": 200}).plan(host)
    assert "days are left" in short.summary
    other = build("certificate.valid", {**asked, "domain": "shop.example"}).plan(host)
    assert "it is for localhost" in other.summary
    closed = build("certificate.valid", {**asked, "port": free_port()}).plan(host)
    assert "nothing is served" in closed.summary


@pytest.mark.docker
def test_a_timer_and_a_hook_are_made_where_nothing_renews(container_host: ContainerHost) -> None:
    spec = HostSpec(container_host.name, ssh_config=str(container_host.config))
    host = connect(spec, state_dir="/var/lib/changeover/test")
    hook = "/etc/letsencrypt/renewal-hooks/deploy/reload-nginx"
    timer = command("systemctl", "is-active", "changeover-certbot.timer")

    action, change = applied("certificate.schedule", host)

    assert host.do(timer).strip() == "active"
    assert host.look(hook).mode == 0o755
    undone(action, host, change)
    assert host.ask(timer).stdout.strip() == "inactive"
    assert not host.look(hook).there
    host.transport.close()
