"""`run staging-add` and `run staging-sync`, as operators type them in a clone of the platform."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import ActionFailed, ChangeoverError, InvalidInput, PreflightFailed

GUIDES = Path(__file__).parents[2] / "guides/catalogage"

pytestmark = pytest.mark.live


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone on a branch with one commit; its environment's host cannot be reached."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("CHANGEOVER_INSTANCE", "CHANGEOVER_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@shop.example\n")
    git(tmp_path, "init", "-q", "--bare", "-b", "master", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "clone")
    folder = tmp_path / "clone"
    environment = folder / "ops/staging"
    environment.mkdir(parents=True)
    whole = {
        "format": 1, "name": "staging", "product": "catalogage", "hubs": [str(GUIDES)],
        "hosts": {"web1": {"address": "nobody.invalid", "roles": ["web"]}},
        "vars": {"domain": "staging.shop.example"}, "secrets": {}, "inputs": {"ref": "staging"},
    }  # fmt: skip
    (environment / "instance.yaml").write_text(json.dumps(whole))
    git(folder, "checkout", "-q", "-b", "master")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "push", "-q", "origin", "master", "master:staging")
    branch(folder, "feature", "1")
    monkeypatch.chdir(folder)
    return folder


def branch(clone: Path, name: str, content: str) -> None:
    git(clone, "checkout", "-q", "-B", name, "origin/master")
    (clone / name).write_text(content)
    git(clone, "add", name)
    git(clone, "commit", "-q", "-m", f"{name} {content}")


def typed(*words: str) -> Result:
    return CliRunner().invoke(changeover, ["-i", "ops/staging", *words])


def done(*words: str) -> str:
    result = typed(*words)
    assert result.exception is None, (result.output, result.exception)
    return result.output


def staged(clone: Path) -> set[str]:
    git(clone, "fetch", "-q")
    return set(git(clone, "ls-tree", "--name-only", "origin/staging").splitlines())


def test_a_branch_is_added_and_pushed_without_any_host_being_asked(clone: Path) -> None:
    planned = done("plan", "--procedure", "staging-add", "--set", "push=true")
    said = done("run", "staging-add", "--push", "--yes")

    assert "add feature (1 commit) to staging and push it" in " ".join(planned.split())
    assert "feature" in staged(clone)
    assert re.search(r"go back: changeover undo operator-\S+", said)
    assert git(clone, "status", "--porcelain", "--untracked-files=no") == ""
    assert "operator-" in done("history")


def test_a_run_of_this_machine_is_shown_and_undone_by_its_name(clone: Path) -> None:
    done("run", "staging-add", "--push", "--yes")
    branch(clone, "second", "1")
    added = done("run", "staging-add", "--push", "--yes").split()
    named = next(word.strip(":,.") for word in added if word.startswith("operator-"))
    assert "second" in staged(clone)
    assert "git.gather" in done("show", named, "-o", "json")
    done("undo", named, "--yes")

    assert staged(clone) == {"ops", "feature"}


def test_rewritten_commits_stop_it_and_can_be_let_through(clone: Path) -> None:
    done("run", "staging-add", "--push", "--yes")
    branch(clone, "feature", "2")

    refused = typed("run", "staging-add", "--push", "--yes").exception

    assert isinstance(refused, PreflightFailed)
    assert "was rewritten after it was added" in refused.message
    assert isinstance(typed("run", "staging-add", "--rewriten").exception, InvalidInput)


def test_sync_shows_what_goes_before_it_does(clone: Path) -> None:
    done("run", "staging-add", "--push", "--yes")

    planned = " ".join(done("plan", "--procedure", "staging-sync", "--set", "push=true").split())
    assert "throwing away 1 addition" in planned
    assert "- feature (" in planned
    done("run", "staging-sync", "--push", "--yes")

    assert staged(clone) == {"ops"}


def test_a_run_that_failed_does_not_stand_in_the_way(clone: Path) -> None:
    hook = clone.parent / "remote.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no pushing today >&2\nexit 1\n")
    hook.chmod(0o755)
    failed = typed("run", "staging-add", "--push", "--yes")
    hook.unlink()

    assert isinstance(failed.exception, ActionFailed)
    assert "refused the push of staging: no pushing today" in failed.exception.message
    assert "pre-receive hook declined" in failed.exception.message
    done("run", "staging-add", "--push", "--yes")
    assert "feature" in staged(clone)


def test_then_goes_on_only_after_it_went_well(clone: Path) -> None:
    error = typed("run", "staging-add", "--push", "--yes", "--then", "deploy").exception

    # The branch was gathered; the deployment then fails for want of its host.
    assert isinstance(error, ChangeoverError)
    assert "nobody.invalid" in str(error) or "web1" in str(error)
    assert "feature" in staged(clone)
