"""The catalogue on a bare Debian: prepared, deployed as a user of its own without TLS, filled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from labs.catalogage.host import PYTHON
from labs.catalogage.repository import make_repository
from labs.catalogage.wheels import wheels

from changeover.instances.agefile import make_key, secrets_text, write_encrypted
from tests.guides.test_catalogage import changeover
from tests.guides.test_catalogage_initdata import GOOD
from tests.servers.container import ContainerHost

pytestmark = [pytest.mark.live, pytest.mark.docker]

NODES = {"bullseye": ("20", "22"), "bookworm": ("20", "22"), "trixie": ("22", "24")}
"""Two Nodes that the distribution does not have: 12, 18 and 20 are its own."""

GUIDES = Path(__file__).parents[2] / "guides"
URL = "postgresql+asyncpg://catalogage:s%23cr%25et%20%24@localhost:5432/catalogage"


@dataclass(frozen=True)
class Bare:
    """A host nobody prepared, and the instance that means it."""

    box: ContainerHost
    instance: Path

    def run(self, *words: str, code: int = 0) -> str:
        done = changeover(self.instance, *words, timeout=1800)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def write(self, **variables: object) -> None:
        """Write the instance, secrets beside it."""
        self.instance.mkdir(exist_ok=True)
        if not (self.instance / "age.key").exists():
            make_key(self.instance)
        secrets = {"secret_key": "#$%&(b", "database_url": URL}
        write_encrypted(self.instance / "secrets.age", secrets_text(secrets))
        (self.instance / "assets").mkdir(exist_ok=True)
        (self.instance / "assets" / "initdata.yml").write_text(GOOD)
        host = {"transport": "ssh", "ssh_config": str(self.box.config), "roles": ["web", "db"]}
        usual: dict[str, object] = {
            "domain": "localhost",
            "repository": "/srv/catalogage.git",
            "service_user": "cat",
        }
        usual |= {"releases": "/srv/cat/releases", "env": {"APP_PUBLIC_URL": "http://localhost"}}
        written = {
            "format": 1,
            "name": "bare",
            "product": "catalogage",
            "hubs": [str(GUIDES)],
            "hosts": {"bare": {**host, "address": self.box.name}},
            "vars": {**usual, **variables},
            "secrets": {name: {"age": "secrets.age"} for name in secrets},
            "databases": {"main": {"url": "{{ secrets.database_url }}", "on": "db"}},
        }
        (self.instance / "instance.yaml").write_text(yaml.safe_dump(written, sort_keys=False))


def bare(folder: Path, image: str, suite: str) -> Bare:
    name = f"changeover-provision-{suite}-{os.getpid()}"
    found = Bare(ContainerHost(folder / "host", name, image, suite), folder / "instance")
    found.box.start()
    make_repository(folder / "repository.git")
    found.box.send(folder / "repository.git", "/srv/catalogage.git")
    found.box.send(wheels(PYTHON[suite]), "/opt/wheels")
    found.box.run("chown -R root: /srv/catalogage.git /opt/wheels")
    # A user of another name than the repository's owner clones it.
    found.box.run("git config --system --add safe.directory '*' 2>/dev/null || :")
    return found


@pytest.fixture
def furnished(docker_engine: None, tmp_path: Path) -> Iterator[Bare]:
    """A host whose distribution has brought the packages already."""
    found = bare(tmp_path, "catalogage", "bookworm")
    yield found
    found.box.remove()


def nothing_left(host: Bare) -> None:
    said = host.run("plan", "--procedure", "provision", "--set", "with_database=true")
    assert "0 of" in said, said


def test_a_host_is_prepared_deployed_as_a_user_of_its_own_and_filled(furnished: Bare) -> None:
    host, box = furnished, furnished.box
    host.write(wheels="/opt/wheels")

    host.run("run", "provision", "--set", "with_database=true", "--yes")
    nothing_left(host)
    host.run("apply", "--set", "ref=1.2.0", "--yes")
    host.run("run", "initdata", "--yes")

    assert '"status":"ok"' in box.run("curl -fsS http://localhost/api/health/")
    assert "Catalogue 1.2.0" in box.run("curl -fsS http://localhost/")
    owners = box.run("ps -eo user:16,args | grep -E 'server.main|[n]ode ./build' | cut -d' ' -f1")
    assert {line for line in owners.split() if line != "root"} == {"cat"}
    assert box.run("stat -c '%a %U' /root/catalogage/.env") == "600 cat\n"
    rows = "cd /; runuser -u postgres -- psql -XAtc 'SELECT count(*) FROM tag' catalogage"
    assert box.run(rows) == "1\n"


@pytest.mark.fuzz
@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_a_bare_debian_of_each_age_is_prepared_once(
    docker_engine: None, tmp_path: Path, suite: str
) -> None:
    host = bare(tmp_path, "host", suite)
    node, newer = NODES[suite]
    try:
        # Beside what the distribution has: Node by npm, and an npm that reads the lock file.
        host.write(wheels="/opt/wheels", node_version=node)

        host.run("run", "provision", "--set", "with_database=true", "--yes")
        nothing_left(host)
        host.run("apply", "--set", "ref=1.2.0", "--yes")

        assert '"status":"ok"' in host.box.run("curl -fsS http://localhost/api/health/")
        assert host.box.run("node -v").startswith(f"v{node}.")
        assert host.box.run("npm -v").startswith("10.")
        assert "-rw-------" in host.box.run("ls -lL /root/catalogage/.env")
        host.write(wheels="/opt/wheels", node_version=newer)
        host.run("run", "provision", "--yes")
        both = host.box.run("ls /opt/node").split()
        host.run("apply", "--set", "ref=1.4.1", "--yes")
        # The old one went once nothing ran from it any more.
        assert len(both) == 2
        assert [name.split(".")[0] for name in host.box.run("ls /opt/node").split()] == [newer]
    finally:
        host.box.remove()
