"""`env dismantle --gone`: the machine is gone already, the checklist and the commit remain."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from changeover.cli.main import changeover
from changeover.errors import GateClosed, InvalidInput
from tests.engine.world import World
from tests.instances.ansible.project import make_project

ONE = {"role": "web", "once": True}
"""The hosts of the tests' world share a disk: what is on both is removed twice at once."""


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


def shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one environment in it, and a page that names it."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@shop.example")
    prod = folder / "environments" / "prod"
    prod.mkdir(parents=True)
    (prod / "instance.yaml").write_text(
        "format: 1\nname: prod\nproduct: shop\nhosts: {here: {transport: local}}\n"
    )
    (folder / "page").write_text("nothing\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "ops")
    return prod


def gone(prod: Path) -> Result:
    words = ["env", "dismantle", "-i", str(prod), "--gone", "--confirm", "prod"]
    return CliRunner().invoke(changeover, words)


def test_a_kill_at_any_word_to_git_leaves_no_half_done_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod, real, calls = shop(tmp_path, monkeypatch), subprocess.run, 0
    killed = gone(tmp_path / "nowhere")
    for last in range(1, 40):
        calls = 0

        def mortal(*given: Any, last: int = last, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == last:
                raise KeyboardInterrupt
            return real(*given, **named)

        with monkeypatch.context() as dying:
            dying.setattr(subprocess, "run", mortal)
            killed = gone(prod)
        if killed.exception is None:
            break
        assert git(tmp_path, "branch", "--list", "dismantle-prod") == "", last
        assert git(tmp_path, "worktree", "list").count("\n") == 1

    assert last > 5
    assert "to be reviewed and merged" in killed.output
    assert git(tmp_path, "ls-tree", "-r", "--name-only", "dismantle-prod") == "page\n"


def test_what_is_staged_or_edited_stays_so_and_is_no_part_of_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod = shop(tmp_path, monkeypatch)
    (tmp_path / "page").write_text("edited\n")
    (prod / "instance.yaml").write_text((prod / "instance.yaml").read_text() + "# staged\n")
    (prod / "new").write_text("x")
    git(tmp_path, "add", "environments")
    before = git(tmp_path, "status", "--porcelain")

    result = gone(prod)

    assert "to be reviewed and merged" in result.output
    assert git(tmp_path, "status", "--porcelain") == before
    assert git(tmp_path, "show", "dismantle-prod:page") == "nothing\n"
    assert git(tmp_path, "rev-parse", "dismantle-prod^") == git(tmp_path, "rev-parse", "main")


def test_a_folder_that_git_does_not_have_is_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod = shop(tmp_path, monkeypatch)
    git(tmp_path, "rm", "-q", "-r", "--cached", "environments")
    git(tmp_path, "commit", "-q", "-m", "without")

    assert "is not in git: remove it yourself" in gone(prod).output
    shutil.rmtree(tmp_path / ".git")
    assert "is not in git: remove it yourself" in gone(prod).output


def test_whoever_leaves_the_checklist_is_told_how_to_come_back_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prod = shop(tmp_path, monkeypatch)

    def leave(*_: object, **__: object) -> None:
        raise click.Abort

    words = ["env", "dismantle", "-i", str(prod), "--gone", "--confirm", "prod"]
    with monkeypatch.context() as person:
        person.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        person.setattr(click, "confirm", leave)
        with pytest.raises(click.Abort):
            changeover.main(words, standalone_mode=False)

    assert "no commit yet: changeover env dismantle --gone" in capsys.readouterr().err
    assert "to be reviewed and merged" in gone(prod).output


def test_a_product_without_a_database_is_dismantled_and_a_second_time_finds_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, version = World(tmp_path), tmp_path / "one" / "VERSION"
    remove = {"id": "rm", "use": "files.remove", "on": ONE, "with": {"path": str(version)}}
    put = {"id": "put", "use": "files.write", "on": ONE,
           "with": {"path": str(version), "content": "1\n"}}  # fmt: skip
    world.release(
        "1", [put], probe={"file": str(version)}, procedures={"dismantle": {"steps": [remove]}}
    )
    world.apply()
    words = ["env", "dismantle", "--no-backup", "--confirm", "test", "-i", str(world.instance)]

    first = CliRunner().invoke(changeover, words)
    again = CliRunner().invoke(changeover, words)

    for done in (first, again):
        assert done.exception is None, (done.output, done.exception)
        assert "proven: nothing is installed on its hosts any more" in done.output
    assert not version.exists()


def test_one_that_waited_for_somebody_is_proven_and_left_once_it_went_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, version = World(tmp_path), tmp_path / "one" / "VERSION"
    remove = {"id": "rm", "use": "files.remove", "on": ONE, "with": {"path": str(version)}}
    put = {"id": "put", "use": "files.write", "on": ONE,
           "with": {"path": str(version), "content": "1\n"}}  # fmt: skip
    steps = [{**remove, "approval": "For good?"}]
    world.release(
        "1", [put], probe={"file": str(version)}, procedures={"dismantle": {"steps": steps}}
    )
    world.apply()
    words = ["env", "dismantle", "--no-backup", "--confirm", "test", "-i", str(world.instance)]

    waits = CliRunner().invoke(changeover, words)
    resumed = CliRunner().invoke(
        changeover, ["resume", "--approve", "all", "-i", str(world.instance)]
    )
    rest = CliRunner().invoke(changeover, words)

    assert isinstance(waits.exception, GateClosed)
    assert "then for the rest: changeover env dismantle" in waits.exception.remedy
    assert resumed.exception is None, (resumed.output, resumed.exception)
    assert rest.exception is None, (rest.output, rest.exception)
    assert "steps change something" not in rest.output
    assert "proven: nothing is installed on its hosts any more" in rest.output
