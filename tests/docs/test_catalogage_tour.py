"""A platform's whole life, as the page tells it, on a machine nobody prepared."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from labs.catalogage.host import PYTHON
from labs.catalogage.repository import make_repository
from labs.catalogage.wheels import wheels

from tests.docs.examples import Shell, run_page
from tests.docs.test_tutorial import environment
from tests.servers.container import ContainerHost
from tests.servers.nginx import certificate
from tests.servers.program import program_path

PAGES = Path(__file__).parents[2] / "docs"
ADDRESS = "192.0.2.10"
"""The machine's address on the pages."""
PEBBLE = """
[Unit]
Description=ACME server of the tests
[Service]
Environment=PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0
ExecStart=/opt/acme/pebble -config /opt/acme/config.json
"""
SETUP = """
chown -R root: /srv/catalogage.git /opt/wheels /opt/acme
printf '[install]\\nno-index = true\\nfind-links = /opt/wheels\\n' >/etc/pip.conf
printf '127.0.0.1 catalogue.test\\n' >>/etc/hosts
git config --system --add safe.directory '*'
cp /opt/acme/ca.crt /usr/local/share/ca-certificates/acme.crt
update-ca-certificates >/dev/null 2>&1
systemctl daemon-reload
systemctl start acme
until curl -fs https://localhost:15000/roots/0 >/usr/local/share/ca-certificates/issued.crt
do sleep 0.1; done
update-ca-certificates >/dev/null 2>&1
"""


@dataclass(frozen=True)
class Cellar:
    """A machine with a repository and an ACME server, and whoever reads the page."""

    vm: ContainerHost
    folder: Path

    def furnish(self) -> None:
        """Put on the machine what a real one finds in the network."""
        make_repository(self.folder / "repository.git")
        self.vm.send(self.folder / "repository.git", "/srv/catalogage.git")
        self.vm.send(wheels(PYTHON[self.vm.suite]), "/opt/wheels")
        acme = self.folder / "acme"
        acme.mkdir()
        certificate(acme)
        written = {
            "listenAddress": "127.0.0.1:14000",
            "managementListenAddress": "127.0.0.1:15000",
            "certificate": "/opt/acme/server.crt",
            "privateKey": "/opt/acme/server.key",
            "httpPort": 80,
            "tlsPort": 5001,
            "ocspResponderURL": "",
        }
        (acme / "config.json").write_text(json.dumps({"pebble": written}))
        (acme / "pebble").write_bytes(Path(program_path("pebble")).read_bytes())
        (acme / "pebble").chmod(0o755)
        self.vm.send(acme, "/opt/acme")
        self.vm.run("cat >/etc/systemd/system/acme.service", stdin=PEBBLE)
        self.vm.run("sh -eu -s", stdin=SETUP)

    def reads(self, name: str) -> None:
        """Do what a page says, as somebody who trusts that ACME server."""
        trusted = self.folder / "trusted.pem"
        trusted.write_text(self.vm.run("cat /etc/ssl/certs/ca-certificates.crt"))
        page = self.folder / name
        page.write_text((PAGES / name).read_text().replace(ADDRESS, self.vm.address))
        reader = self.folder / "reader"
        reader.mkdir()
        known = environment(self.vm, self.folder / "bin") | {"SSL_CERT_FILE": str(trusted)}
        run_page(page, Shell(reader, known))


@pytest.fixture(
    params=["catalogage", pytest.param("host", marks=pytest.mark.fuzz)],
    ids=["furnished", "bare"],
)
def cellar(request: pytest.FixtureRequest, docker_engine: None, tmp_path: Path) -> Iterator[Cellar]:
    name = f"changeover-tour-{request.param}-{os.getpid()}"
    found = Cellar(ContainerHost(tmp_path / "vm", name, request.param), tmp_path)
    found.vm.start()
    found.furnish()
    yield found
    found.vm.remove()


@pytest.mark.live
@pytest.mark.docker
def test_a_platform_lives_as_the_page_tells(cellar: Cellar) -> None:
    cellar.reads("catalogage-tour.md")

    left = cellar.vm.run("ls /root/catalogage /srv/catalogue/releases 2>&1 || true")
    assert left.count("No such file") == 2
