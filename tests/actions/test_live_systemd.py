"""systemd actions against systemd itself, on a host of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, behind, carried_out, planned, undone
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker

FOLDER = "/etc/systemd/system"
SERVER = """\
[Unit]
Description=Test
[Service]
ExecStart=/usr/sbin/sshd -D -p 8123 -o ListenAddress=127.0.0.1 -o PidFile=none
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
"""
SLEEPER = """\
[Service]
ExecStart=/bin/sleep 600
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
"""
CRASHER = """\
[Service]
ExecStart=/bin/sh -c 'echo cannot open the database; sleep 0.3; exit 3'
Restart=always
RestartSec=0.1
"""


@pytest.fixture
def host(container_host: ContainerHost) -> Iterator[Host]:
    here = behind(container_host)
    yield here
    here.transport.close()
    container_host.run(
        "for unit in shop sleeper; do systemctl disable --now $unit.service 2>/dev/null; done;"
        f" rm -rf {FOLDER}/shop.service* {FOLDER}/sleeper.service;"
        " systemctl daemon-reload; systemctl reset-failed"
    )


def installed(host: Host, content: str) -> None:
    applied("systemd.unit", host, unit="shop.service", content=content)


def active(container: ContainerHost) -> str:
    return container.run("systemctl is-active shop.service", check=False).strip()


def test_a_unit_is_installed_changed_and_taken_away(
    host: Host, container_host: ContainerHost
) -> None:
    first = applied("systemd.unit", host, unit="shop.service", content=SLEEPER)
    drop_in = applied(
        "systemd.unit", host, unit="shop.service", drop_in="memory.conf",
        content="[Service]\nMemoryMax=100M\n",
    )  # fmt: skip

    limit = "systemctl show -P MemoryMax shop.service"
    assert container_host.run(limit).strip() == str(100 << 20)
    undone(drop_in[0], host, drop_in[1])
    assert container_host.run(limit).strip() == "infinity"
    assert container_host.run(f"ls {FOLDER} | grep shop").split() == ["shop.service"]
    undone(first[0], host, first[1])
    assert container_host.run("systemctl show -P LoadState shop.service").strip() == "not-found"


def test_a_unit_systemd_refuses_is_taken_back(host: Host, container_host: ContainerHost) -> None:
    installed(host, SLEEPER)
    action, change = planned(
        "systemd.unit", host, unit="shop.service", content="[Service]\nExecStart=/no/such/program\n"
    )

    with pytest.raises(ActionFailed, match=r"shop.service: Command /no/such/program is not exec"):
        action.apply(acting(host), change)

    assert container_host.run(f"cat {FOLDER}/shop.service") == SLEEPER


def test_a_unit_is_started_stopped_and_both_are_undone(
    host: Host, container_host: ContainerHost
) -> None:
    installed(host, SERVER)

    start = applied("systemd.start", host, unit="shop.service", port=8123)
    stop = applied("systemd.stop", host, units=["shop.service"], port=8123)

    assert active(container_host) == "inactive"
    undone(stop[0], host, stop[1])
    assert active(container_host) == "active"
    undone(start[0], host, start[1])
    assert active(container_host) == "inactive"


def test_a_restart_is_a_new_invocation_and_happens_once(
    host: Host, container_host: ContainerHost
) -> None:
    installed(host, SERVER)
    applied("systemd.start", host, unit="shop.service", port=8123)
    starts = "journalctl --sync; journalctl -u shop.service -o cat | grep -c '^Started'"
    before = int(container_host.run(starts))

    applied("systemd.restart", host, unit="shop.service", port=8123)
    applied("systemd.reload", host, unit="shop.service", port=8123)

    assert int(container_host.run(starts)) == before + 1


def test_a_restart_of_what_had_never_run_is_undone_by_stopping_it(
    host: Host, container_host: ContainerHost
) -> None:
    installed(host, SERVER)

    restart = applied("systemd.restart", host, unit="shop.service", port=8123)
    began = restart[0].began(restart[1])
    again = applied("systemd.restart", host, unit="shop.service", port=8123)
    undone(restart[0], host, restart[1])

    assert (began, again[0].began(again[1])) == (True, False)
    assert active(container_host) == "inactive"


def test_a_unit_that_crashes_again_and_again_is_not_up(host: Host) -> None:
    installed(host, CRASHER)
    action, change = planned("systemd.restart", host, unit="shop.service", stays=5)

    with pytest.raises(ActionFailed, match=r"shop.service: ") as caught:
        carried_out(action, host, change)

    assert "cannot open the database" in caught.value.remedy


def test_a_closed_port_is_not_up(host: Host) -> None:
    installed(host, SLEEPER)
    action, change = planned("systemd.start", host, unit="shop.service", port=8124, within=0.5)

    with pytest.raises(ActionFailed, match="it is up, and nobody answers on port 8124"):
        carried_out(action, host, change)


def test_a_unit_is_enabled_and_disabled_and_both_are_undone(
    host: Host, container_host: ContainerHost
) -> None:
    # A name of its own: a package that other tests install enables one called shop.
    applied("systemd.unit", host, unit="sleeper.service", content=SLEEPER)
    enabled = "systemctl is-enabled sleeper.service || true"

    enable = applied("systemd.enable", host, unit="sleeper.service")
    assert container_host.run(enabled).strip() == "enabled"
    disable = applied("systemd.disable", host, unit="sleeper.service")
    assert container_host.run(enabled).strip() == "disabled"

    undone(disable[0], host, disable[1])
    assert container_host.run(enabled).strip() == "enabled"
    undone(enable[0], host, enable[1])
    assert container_host.run(enabled).strip() == "disabled"


def test_steps_are_planned_on_what_earlier_ones_will_leave(host: Host) -> None:
    shadow = shadow_of(host)
    unit = build("systemd.unit", {"unit": "shop.service", "content": SLEEPER})
    start = build("systemd.start", {"unit": "shop.service"})
    failures = [f.message for f in start.check(shadow) if f.severity is Severity.FAIL]
    assert failures == ["no unit shop.service (not-found)"]

    unit.foresee(shadow, unit.plan(shadow))

    assert not [f for f in start.check(shadow) if f.severity is Severity.FAIL]
    assert start.plan(shadow).summary == "start shop.service"
    start.foresee(shadow, start.plan(shadow))
    assert not start.plan(shadow).needed
