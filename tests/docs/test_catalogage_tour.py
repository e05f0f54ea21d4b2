"""A platform's whole life, as the page tells it, on a machine nobody prepared."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from labs.catalogage.host import PYTHON
from labs.catalogage.layout import HERE
from labs.catalogage.repository import make_repository
from labs.catalogage.wheels import wheels

from changeover.instances.ansible.vault import Password, encrypt
from tests.docs.examples import Shell, run_page
from tests.docs.test_tutorial import environment
from tests.servers.container import ContainerHost
from tests.servers.nginx import certificate
from tests.servers.program import program_path

PAGES = Path(__file__).parents[2] / "docs"
ADDRESS = "192.0.2.10"
"""The machine's address on the pages."""
WHO = ("-c", "user.name=Reader", "-c", "user.email=reader@example.org")
HOSTS = "[web]\ncatalogue.test ansible_host=vm ansible_user=root\n"
GROUP = """\
tls_enabled: false
client_url: http://catalogue.test
datapass_url: https://auth.example
git_version: master
initdata_src: "{{ inventory_dir }}/assets/initdata.yml"
"""
SECRETS = """\
secret_key: "abc#$%&(def"
database_url: postgresql+asyncpg://catalogue:pass%20word%20%231@localhost/catalogue
datapass_client_id: prod
datapass_client_secret: not-much-of-a-secret
sentry_dsn: ""
"""
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
        reader.mkdir(exist_ok=True)
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


def team_folder(reader: Path, address: str) -> None:
    """Write the folder of a team that deploys by the manual, and put it in git."""
    ansible = reader / "ops/ansible"
    shutil.copytree(HERE / "ops", reader / "ops")
    shared = ansible / "group_vars/web.yml"
    known = yaml.safe_load(shared.read_text()) | {"git_repo": "/srv/catalogage.git"}
    shared.write_text(yaml.safe_dump(known))
    (ansible / "vault-password").write_text("a word only the team knows\n")
    (ansible / "vault-password").chmod(0o600)
    (reader / ".gitignore").write_text("vault-password\n")
    environment = ansible / "environments/prod"
    (environment / "group_vars").mkdir(parents=True)
    (environment / "assets").mkdir()
    (environment / "hosts").write_text(HOSTS)
    (environment / "group_vars/web.yml").write_text(GROUP)
    sealed = encrypt(SECRETS.encode(), Password(b"a word only the team knows"))
    (environment / "secrets").write_text(sealed)
    (environment / "assets/initdata.yml").write_text(block("catalogage-tour.md", "initdata.yml"))
    extras = block("catalogage-tour-ansible.md", "changeover.yaml").replace(ADDRESS, address)
    (environment / "changeover.yaml").write_text(extras)


def block(page: str, name: str) -> str:
    """Return the block of a page that is the content of a file."""
    return re.split(rf"^```yaml.*\n?.*{name}.*$", (PAGES / page).read_text(), flags=re.M)[1].split(
        "```"
    )[0]


@pytest.mark.live
@pytest.mark.docker
def test_a_platform_lives_as_the_page_tells(cellar: Cellar) -> None:
    cellar.reads("catalogage-tour.md")

    left = cellar.vm.run("ls /root/catalogage /srv/catalogue/releases 2>&1 || true")
    assert left.count("No such file") == 2


@pytest.mark.fuzz
@pytest.mark.live
@pytest.mark.docker
def test_it_is_told_in_french(cellar: Cellar) -> None:
    cellar.reads("catalogage-tour.fr.md")


def test_the_french_page_has_the_commands_of_the_english_one() -> None:
    def commands(name: str) -> list[str]:
        lines = (PAGES / name).read_text().splitlines()
        return [line for line in lines if line.startswith(("$ ", "  '"))]

    assert len(commands("catalogage-tour.fr.md")) > 40
    assert commands("catalogage-tour.fr.md") == commands("catalogage-tour.md")


@pytest.mark.fuzz
@pytest.mark.live
@pytest.mark.docker
def test_it_lives_so_in_a_folder_of_ansible(cellar: Cellar) -> None:
    reader = cellar.folder / "reader"
    reader.mkdir()
    team_folder(reader, cellar.vm.address)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "Two years"]):
        subprocess.run(["git", "-C", reader, *WHO, *words], check=True)

    cellar.reads("catalogage-tour-ansible.md")

    assert "No such file" in cellar.vm.run("ls /root/catalogage 2>&1 || true")
