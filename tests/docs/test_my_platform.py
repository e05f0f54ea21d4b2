"""The page about platforms that are not in the list does what it says, on a real host."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.examples import Shell, run_page
from tests.servers.container import ContainerHost
from tests.servers.program import await_outcome

PAGE = Path(__file__).parents[2] / "docs/my-platform.md"
PASSWORD = "n0tes-passw0rd"

SERVICE = """
[Unit]
Description=Notes
After=postgresql.service
[Service]
User=postgres
ExecStart=/srv/notes/app.py
[Install]
WantedBy=multi-user.target
"""
SETUP = f"""
systemctl start postgresql
cd /
runuser -u postgres -- psql -q <<'SQL'
create role notes login superuser password '{PASSWORD}';
create database notes owner notes;
\\c notes
create table note (id serial primary key, text text);
insert into note (text) values ('first'), ('second');
SQL
mkdir -p /srv/notes
echo 1.0 > /srv/notes/VERSION
chmod 755 /srv/notes/app.py
systemctl daemon-reload
systemctl enable --now notes.service
"""  # noqa: S608 - a password of our own


@pytest.fixture
def vm(docker_engine: None, tmp_path: Path) -> Iterator[ContainerHost]:
    host = ContainerHost(tmp_path / "vm", f"changeover-docs-vm-{os.getpid()}", "catalogage")
    host.start()
    yield host
    host.remove()


@pytest.mark.docker
def test_the_page_does_what_it_says(vm: ContainerHost, tmp_path: Path) -> None:
    install(vm)
    folder = tmp_path / "reader"
    (folder / "prod").mkdir(parents=True)
    config = vm.config.read_text().replace(f"Host {vm.name}", f"Host {vm.name} vm")
    (folder / "prod/ssh_config").write_text(config)
    before = notes(vm)

    commands = Path(sys.executable).parent
    shell = Shell(
        folder,
        {
            "PATH": f"{commands}:/usr/bin:/bin:/usr/sbin:/sbin",
            "NOTES_DATABASE_URL": f"postgresql://notes:{PASSWORD}@127.0.0.1/notes",
        },
    )
    run_page(PAGE, shell)

    assert before == "2|first, second"
    assert notes(vm) == "2|first (title: ), second (title: )"
    shutil.rmtree(folder)


def install(vm: ContainerHost) -> None:
    """Put version 1.0 on the host: the page's program without the title."""
    program = PAGE.read_text().split("app.py\n", 1)[1]
    old = program[program.index("#!") : program.index("```")].replace(
        "text || ' (title: ' || title || ')'", "text"
    )
    vm.run("cat > /etc/systemd/system/notes.service", stdin=SERVICE)
    vm.run("mkdir -p /srv/notes; cat > /srv/notes/app.py", stdin=old)
    vm.run("sh -eu -s", stdin=SETUP)
    assert await_outcome(lambda: notes(vm).startswith("2|"), 30)


def notes(vm: ContainerHost) -> str:
    return vm.run("curl -fs http://127.0.0.1:8080/ || true").strip()
