"""pytest fixtures around the real servers; `tests/conftest.py` makes them known everywhere."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.container import SCRIPTS, ContainerHost
from tests.servers.nginx import Nginx
from tests.servers.postgres import Postgres
from tests.servers.sshd import Sshd, simulated
from tests.servers.supervisord import Supervisord


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for the whole session: make databases of your own in it."""
    server = Postgres.temporary()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster for one test, which may stop it, kill it or break it."""
    server = Postgres.temporary()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def database(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database with an owner of its own."""
    name = f"t{abs(hash(request.node.nodeid))}_{os.getpid()}"
    yield postgres.create_database(name, owner=name, password="p@ss:w/rd%")
    postgres.drop_database(name)
    postgres.sql(f'DROP ROLE "{name}"')


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Ten simulated hosts `host1` … `host10`, `jump`, and `inner` behind it, for the session."""
    server = simulated(tmp_path_factory.mktemp("sshd"))
    yield server
    server.stop()


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server for one test, which may stop it or cut its sessions; hosts as in `sshd`."""
    server = simulated(tmp_path / "sshd")
    yield server
    server.cut()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """A running nginx without sites."""
    server = Nginx(tmp_path / "nginx")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def supervisord(tmp_path: Path) -> Iterator[Supervisord]:
    """A running supervisord without programs."""
    server = Supervisord(tmp_path / "supervisord")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """Skips the test where there is no Docker engine; in CI that is a failure."""
    done = subprocess.run([SCRIPTS / "dockerd"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(done.stderr.strip())


@pytest.fixture(scope="module")
def container_host(
    docker_engine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContainerHost]:
    """A Debian 12 host with systemd and sshd for one module: packages and units leave traces."""
    host = ContainerHost(tmp_path_factory.mktemp("host"), f"changeover-test-{os.getpid()}")
    host.start()
    yield host
    host.remove()
