"""postgres.database on the server of a Debian host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.hosts.connect import connect
from changeover.hosts.host import Host
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from changeover.model.plan import Effect
from tests.actions.database_host import attempt, done, undone
from tests.servers.container import ContainerHost

pytestmark = [pytest.mark.live, pytest.mark.docker]

URL = "postgresql+asyncpg://c%20a:it%27s%20%23%25@localhost:5432/c%22at"


@pytest.fixture
def host(docker_engine: None, tmp_path: Path) -> Iterator[Host]:
    box = ContainerHost(tmp_path / "host", f"changeover-database-{os.getpid()}", "catalogage")
    box.start()
    box.run("systemctl start postgresql")
    host = connect(HostSpec(box.name, transport="ssh", ssh_config=str(box.config)))
    yield host
    assert isinstance(host.transport, ShellTransport)
    host.transport.close()
    box.remove()


def test_role_database_and_extension_come_once_and_go_while_they_are_empty(host: Host) -> None:
    given = {"database": URL, "extensions": ["uuid-ossp"]}
    action = build("postgres.database", given)

    change = done(host, "postgres.database", **given)

    assert change.summary == 'create role c a, database c"at, extension uuid-ossp'
    assert done(host, "postgres.database", **given).effect is Effect.NONE
    done(host, "postgres.reachable", database=URL, extensions=["uuid-ossp"], oldest=12)
    done(host, "postgres.query", database=URL, sql="SELECT uuid_generate_v4() IS NULL", expect="f")
    undone(host, action, change)
    assert action.plan(attempt(host)).effect is Effect.CREATE
