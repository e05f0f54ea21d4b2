"""Certificates from a real ACME server, proven through a real nginx, while users ask for pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.command import command
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from changeover.model.instance import HostSpec
from changeover.model.plan import Effect
from tests.actions.certified import PLAIN, Setting, Users
from tests.actions.live import acting, applied, planned, this_machine, undone
from tests.servers.container import ContainerHost
from tests.servers.nginx import Nginx
from tests.servers.pebble import Pebble
from tests.servers.program import free_port

pytestmark = pytest.mark.live


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
