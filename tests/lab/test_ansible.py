"""The manual's playbook and this tool on one host: either order works, or is refused by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from labs.catalogage.host import HostLab
from labs.catalogage.local import LocalLab

from tests.servers.ansible import Ansible, ansible

pytestmark = pytest.mark.live


def deployed(team: Ansible, environment: Path, version: str) -> subprocess.CompletedProcess[str]:
    """What `make ops-deploy env=lab extra_opts="-e git_version=..."` runs."""
    ops = environment.parents[2]
    place = "ansible/environments/lab"
    words = ["--vault-password-file", "ansible/vault-password", "-i", f"{place}/hosts"]
    words += ["-e", f"@{place}/secrets", "-t", "deploy", "ansible/playbook.yml"]
    words += ["-e", f"git_version={version}"]
    return team.run("ansible-playbook", *words, cwd=ops, ANSIBLE_CONFIG="ansible/ansible.cfg")


def changeover(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "changeover.cli.main", "-i", str(environment), *words],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, cwd=environment,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def test_colleagues_may_deploy_by_the_manual_before_us_and_are_refused_after(
    fresh_lab: LocalLab, tmp_path: Path
) -> None:
    lab, workdir = fresh_lab, Path(fresh_lab.layout.workdir)
    environment = lab.write_environment(tmp_path)

    theirs = deployed(ansible("2.15"), environment, "1.1.0")
    assert theirs.returncode == 0, theirs.stdout + theirs.stderr
    lab.await_health()
    assert lab.site.health()["version"] == "1.1.0"

    ours = changeover(environment, "apply", "--yes", "-e", "git_version=1.2.0")
    assert ours.returncode == 0, ours.stdout + ours.stderr
    assert lab.site.health()["version"] == "1.2.0"
    assert workdir.is_symlink()
    release = workdir.resolve()

    again = deployed(ansible("newest"), environment, "1.1.0")
    assert again.returncode != 0
    assert "changeover: refused: this folder is a release" in again.stdout
    assert "-e git_version=REF" in again.stdout
    lab.nginx.reload()
    assert lab.site.healthy
    assert lab.site.health()["version"] == "1.2.0"
    assert workdir.resolve() == release

    back = changeover(environment, "undo", "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert not workdir.is_symlink()
    lab.await_health()
    assert lab.site.health()["version"] == "1.1.0"

    at_last = deployed(ansible("newest"), environment, "1.2.0")
    assert at_last.returncode == 0, at_last.stdout + at_last.stderr
    lab.await_health()
    assert lab.site.health()["version"] == "1.2.0"


@pytest.mark.docker
def test_an_environment_of_the_manual_is_deployed_to_a_host_of_its_own(
    host_lab: HostLab, tmp_path: Path
) -> None:
    environment = host_lab.write_environment(tmp_path)
    before = {p: p.read_bytes() for p in environment.rglob("*") if p.is_file()}

    ours = changeover(environment, "apply", "--yes", "-e", "git_version=1.1.0")
    version = host_lab.site.health()["version"]
    link = host_lab.host.run("readlink /root/catalogage")
    back = changeover(environment, "undo", "--yes")

    assert ours.returncode == 0, ours.stdout + ours.stderr
    assert version == "1.1.0"
    assert link.startswith("/root/catalogage.releases/")
    assert back.returncode == 0, back.stdout + back.stderr
    assert host_lab.site.health()["version"] == "1.0.0"
    assert {p: p.read_bytes() for p in before} == before
