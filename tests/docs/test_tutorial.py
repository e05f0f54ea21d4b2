"""The tutorial does what it says, on a real host."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.examples import Shell, run_page
from tests.servers.container import ContainerHost

PAGE = Path(__file__).parents[2] / "docs/tutorial.md"


@pytest.fixture
def vm(docker_engine: None, tmp_path: Path) -> Iterator[ContainerHost]:
    host = ContainerHost(tmp_path / "vm", f"changeover-docs-tutorial-{os.getpid()}", "catalogage")
    host.start()
    yield host
    host.remove()


@pytest.mark.docker
def test_the_tutorial_does_what_it_says(vm: ContainerHost, tmp_path: Path) -> None:
    reader = tmp_path / "reader"
    reader.mkdir()

    run_page(PAGE, Shell(reader, environment(vm, tmp_path / "bin")))

    served = vm.run("readlink /srv/hello/current; curl -s http://127.0.0.1:8080/")
    assert served.startswith("/srv/hello/releases/")
    assert served.endswith("hello from version 3\n")


def environment(vm: ContainerHost, commands: Path) -> dict[str, str]:
    """Return a terminal's environment in which `ssh vm` leads to the host."""
    config = vm.config.with_name("reader")
    config.write_text(vm.config.read_text().replace(f"Host {vm.name}", "Host vm"))
    commands.mkdir()
    (commands / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {config} "$@"\n')
    (commands / "ssh").chmod(0o755)
    who = {"NAME": "Reader", "EMAIL": "reader@example.org"}
    return {
        "PATH": f"{commands}:{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(commands.parent),
        **{f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()},
    }
