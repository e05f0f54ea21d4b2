"""Fixtures of the actions' tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.hosts.host import Host
from tests.actions.deploy_host import commit, git
from tests.actions.git_team import Operator, Team
from tests.actions.live import this_machine


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """This machine through the real transport, its state in a folder of the test."""
    here = this_machine(tmp_path / "state")
    yield here
    here.transport.close()


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (home / ".gitconfig").write_text(
        "[init]\ndefaultBranch = main\n[advice]\ndetachedHead = false\n"
    )
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    operators = []
    for name in ("Ada", "Bob"):
        clone = tmp_path / name
        subprocess.run(["git", "clone", "-q", str(remote), str(clone)], check=True,
                       capture_output=True)  # fmt: skip
        operators.append(Operator(clone))
        operators[-1].git("config", "user.name", name)
        operators[-1].git("config", "user.email", f"{name}@shop.example")
    ada, bob = operators
    ada.commit("a", "1")
    ada.git("push", "-q", "origin", "main")
    ada.git("push", "-q", "origin", "main:staging")
    bob.git("pull", "-q")
    ada.git("fetch", "-q")
    host = this_machine(tmp_path / "state")
    yield Team(remote, ada, bob, host)
    host.transport.close()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with a branch `main` of two commits, and the tag `v1` on the first."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "one")
    git(folder, "tag", "-a", "v1", "-m", "one")
    commit(folder, "two")
    return folder
