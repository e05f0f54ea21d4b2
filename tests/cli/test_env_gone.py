"""`env dismantle --gone`: the machine is gone already, the checklist and the commit remain."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from changeover.cli.main import changeover
from changeover.errors import InvalidInput
from tests.instances.ansible.project import make_project


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_environment_of_ansible_leaves_git_on_a_branch_to_be_reviewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "ada@shop.example")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Ada")
    ansible = make_project(tmp_path)
    shutil.rmtree(tmp_path / ".git")
    staging = ansible / "environments" / "staging"
    (tmp_path / "ops.md").write_text("See https://staging.catalogue.example.org\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "ops")
    (staging / "not-committed").write_text("x")
    words = ["env", "dismantle", "-i", str(staging), "--gone", "--confirm"]

    refused = CliRunner().invoke(changeover, [*words, "prod"])
    result = CliRunner().invoke(changeover, [*words, "staging"])
    again = CliRunner().invoke(changeover, [*words, "staging"])

    assert isinstance(refused.exception, InvalidInput)
    assert result.exception is None, (result.output, result.exception)
    assert "[ ] the OpenID callback addresses" in result.output
    assert "[ ] mentioned in ops.md" in result.output
    assert "to be reviewed and merged: git log -p -1 dismantle-staging" in result.output
    left = git(tmp_path, "ls-tree", "-r", "--name-only", "dismantle-staging").splitlines()
    assert "ops/ansible/environments/prod/hosts" in left
    assert not [path for path in left if "environments/staging" in path]
    assert (staging / "hosts").is_file()
    assert git(tmp_path, "status", "--porcelain").split() == [
        "??", "ops/ansible/environments/staging/not-committed",
    ]  # fmt: skip
    assert "has a branch dismantle-staging already" in again.output
