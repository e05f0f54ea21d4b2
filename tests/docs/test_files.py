"""The page about configuration files shows what the commands print, on a real Debian host."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bases.debian import clean, keep_package, prepare
from tests.docs.examples import Shell, run_page
from tests.files.shop import edited, reference, write_release
from tests.servers.container import ContainerHost

pytestmark = pytest.mark.docker

PAGE = Path(__file__).parents[2] / "docs/files.md"
_INSTANCE = """\
format: 1
name: prod
product: shop
hubs: [releases]
hosts:
  web1: {{address: {name}, user: root, ssh_config: {config}}}
vars: {{domain: shop.example}}
"""
PASSWORD = "pa55-for-db7"


@dataclass
class Operator(Shell):
    """Types on although a command found something: exit code 1 is an answer."""

    def type(self, command: str, answers: str = "") -> str:
        """Run a command line; return what it printed; fail where it fails."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**os.environ, **self.environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
            input=answers, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), f"$ {command}\nexited {done.returncode}:\n{done.stdout}"
        return done.stdout


def furnish(folder: Path, host: ContainerHost) -> Path:
    """Make the instance, its releases, and a host whose package was upgraded under edits."""
    releases, renamed = (
        folder / "releases",
        "{db.hostname: database.host, db.password: database.password}",
    )
    old = reference(2, "db", "hostname", "localhost", "changeme")
    new = reference(4, "database", "host", "localhost", "changeme")
    write_release(releases, "1.0.0", "none || <1.0", "/srv/shop", "{}", old)
    write_release(releases, "1.1.0", ">=1.0,<1.1", "/srv/shop", renamed, new)
    instance = folder / "instance.yaml"
    instance.write_text(_INSTANCE.format(name=host.name, config=host.config))
    prepare(host)
    clean(host)
    host.run("make_shop 1:1.0 80; make_shop 1:1.1 8000; install_shop 1:1.0; mkdir -p /srv/shop")
    host.run("sed -i 's/workers = 2/workers = 16/' /etc/shop/shop.ini")
    host.run("sed -i 's/PORT=80/PORT=8080/' /etc/shop/shop.env")
    keep_package(host, "1:1.0")
    host.run("install_shop 1:1.1; echo 1.0.0 > /srv/shop/VERSION")
    host.run("cat > /srv/shop/settings.toml", stdin=edited(PASSWORD))
    return folder


def test_the_page_shows_what_is_printed(tmp_path: Path, container_host: ContainerHost) -> None:
    folder = furnish(tmp_path, container_host)
    commands = Path(sys.executable).parent

    run_page(PAGE, Operator(folder, {"PATH": f"{commands}:/usr/bin:/bin:/usr/sbin:/sbin"}))

    assert container_host.run("cat /etc/shop/shop.ini /etc/shop/shop.env") == (
        "[shop]\nport = 8000\nworkers = 16\nPORT=8080\nWORKERS=2\n"
    )
    merged = container_host.run("cat /srv/shop/settings.toml")
    assert "workers = 8" in merged
    assert f'[database]\nhost = "db7"\npassword = "{PASSWORD}"' in merged
    clean(container_host)
    container_host.run("rm -rf /srv/shop/VERSION /srv/shop/settings.toml")
