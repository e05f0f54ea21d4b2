"""`git.gather` and `git.reset` in real clones of a real remote: two operators, their branches."""

from __future__ import annotations

import pytest

from changeover.errors import ActionFailed, InvalidRelease
from changeover.model.plan import Effect
from tests.actions.git_team import Operator, Team
from tests.actions.live import acting, applied, planned, undone

pytestmark = pytest.mark.live

GATHER = "git.gather"


def test_a_branch_is_added_pushed_and_recorded_without_touching_the_working_tree(
    team: Team,
) -> None:
    ada = team.ada
    commit = ada.branch("feature", "f", "1")
    (ada.clone / "a").write_text("not committed")
    (ada.clone / "untracked").write_text("x")
    before = (ada.git("status", "--porcelain"), ada.at("HEAD"), ada.git("stash", "list"))

    change = team.gather(ada, push=True)

    assert change.summary == "add feature (1 commit) to staging and push it"
    assert (ada.git("status", "--porcelain"), ada.at("HEAD"), ada.git("stash", "list")) == before
    assert ada.git("symbolic-ref", "HEAD") == "refs/heads/feature"
    assert ada.files("origin/staging") == {"a", "f"}
    message = ada.git("log", "-1", "--format=%B", "origin/staging")
    assert f"Added-Branch: feature\nAdded-Commit: {commit}" in message
    assert ada.git("worktree", "list").count("\n") == 0
    assert team.plan(ada, push=True).effect is Effect.NONE


def test_without_push_it_says_who_must_push_and_goes_on_from_there(team: Team) -> None:
    ada = team.ada
    ada.branch("one", "one", "1")
    change = team.gather(ada)
    ada.branch("two", "two", "1")
    team.gather(ada)
    already = team.plan(ada)

    pushed = team.gather(ada, push=True)

    assert "to be pushed by Ada: git push --force-with-lease=staging:" in change.summary
    assert "not pushed yet: git push" in already.summary
    assert pushed.summary == "push staging, which has two already"
    assert ada.files("origin/staging") == {"a", "one", "two"}


def test_what_a_colleague_pushed_is_built_upon(team: Team) -> None:
    team.bob.branch("theirs", "t", "1")
    team.gather(team.bob, push=True)
    team.ada.branch("ours", "o", "1")

    team.gather(team.ada, push=True)

    assert team.ada.files("origin/staging") == {"a", "t", "o"}


def test_more_commits_on_a_branch_are_added_later_and_a_diverged_one_is_no_reason_to_refuse(
    team: Team,
) -> None:
    ada = team.ada
    ada.branch("feature", "f", "1")
    team.gather(ada, push=True)
    team.bob.git("switch", "-q", "main")
    team.bob.commit("b", "on main")
    team.bob.git("push", "-q", "origin", "main")
    ada.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    ada.commit("f", "2")

    team.gather(ada, push=True)

    assert ada.git("show", "origin/staging:f") == "2"
    assert ada.files("origin/staging") == {"a", "b", "f"}


def test_commits_rewritten_after_they_were_added_are_named(team: Team) -> None:
    ada = team.ada
    first = ada.branch("feature", "f", "1")
    second = ada.commit("g", "1")
    team.gather(ada, push=True)
    ada.git("commit", "-q", "--amend", "-m", "another word")
    amended = team.refusal(ada)
    ada.git("reset", "-q", "--hard", second)
    team.bob.git("switch", "-q", "main")
    team.bob.commit("b", "1")
    team.bob.git("push", "-q", "origin", "main")
    ada.git("fetch", "-q")
    ada.git("rebase", "-q", "origin/main")
    rebased = team.refusal(ada)

    assert "feature: was rewritten after it was added" in amended.message
    assert f"{second[:10]} g says 1 (now " in amended.message
    assert f"{first[:10]} f says 1" not in amended.message
    assert f"{first[:10]} f says 1 (now {ada.at('HEAD^')[:10]})" in rebased.message
    assert team.gather(ada, push=True, rewritten=True).effect is Effect.UPDATE


def test_a_branch_added_by_hand_and_then_rebased_is_recognized_too(team: Team) -> None:
    ada = team.ada
    ada.branch("feature", "f", "1")
    ada.git("switch", "-q", "-c", "staging", "origin/staging")
    ada.commit("s", "stray")
    ada.git("merge", "-q", "--no-edit", "feature")
    ada.git("push", "-q", "origin", "staging")
    ada.git("switch", "-q", "feature")
    ada.git("commit", "-q", "--amend", "-m", "another word")

    assert "was rewritten" in team.refusal(ada).message


def test_a_conflict_is_foreseen_with_whoever_added_the_other_change(team: Team) -> None:
    team.bob.branch("theirs", "a", "theirs")
    team.gather(team.bob, push=True)
    team.ada.branch("ours", "a", "ours")
    tip = team.ada.git("ls-remote", "origin", "staging")

    error = team.refusal(team.ada, push=True)

    assert "conflicts in a with theirs (" in error.message
    assert "Bob" in error.message
    assert team.ada.git("ls-remote", "origin", "staging") == tip
    assert team.ada.git("worktree", "list").count("\n") == 0


def test_a_push_in_the_meantime_is_never_overwritten(team: Team) -> None:
    team.ada.branch("ours", "o", "1")
    action, change = planned(GATHER, team.host, **team.params(team.ada, {"push": True}))
    team.bob.branch("theirs", "t", "1")
    team.gather(team.bob, push=True)

    with pytest.raises(ActionFailed, match="Bob pushed in the meantime"):
        action.apply(acting(team.host), change)
    team.gather(team.ada, push=True)

    assert team.ada.files("origin/staging") == {"a", "o", "t"}


def test_an_addition_is_undone_here_and_on_the_remote(team: Team) -> None:
    team.ada.branch("one", "one", "1")
    team.gather(team.ada, push=True)
    before = (team.ada.at("staging"), team.ada.git("ls-remote", "origin", "staging"))
    team.ada.branch("two", "two", "1")
    action, change = applied(GATHER, team.host, **team.params(team.ada, {"push": True}))

    undone(action, team.host, change)

    assert (team.ada.at("staging"), team.ada.git("ls-remote", "origin", "staging")) == before


def test_an_undo_leaves_what_others_pushed_on_top(team: Team) -> None:
    team.ada.branch("one", "one", "1")
    action, change = applied(GATHER, team.host, **team.params(team.ada, {"push": True}))
    team.bob.branch("two", "two", "1")
    team.gather(team.bob, push=True)

    undone(action, team.host, change)

    assert team.bob.git("ls-remote", "origin", "staging").split()[0] == team.bob.at("staging")


def test_where_there_is_nothing_to_gather_on_it_begins_at_the_base(team: Team) -> None:
    team.ada.git("push", "-q", "origin", ":staging")
    team.ada.branch("one", "one", "1")

    action, change = applied(GATHER, team.host, **team.params(team.ada, {"push": True}))
    assert team.ada.files("origin/staging") == {"a", "one"}
    undone(action, team.host, change)

    assert team.ada.git("ls-remote", "origin", "staging") == ""


def test_what_cannot_be_added_is_refused_by_name(team: Team) -> None:
    ada = team.ada
    assert "nothing is to be added" in team.refusal(ada).message
    ada.git("checkout", "-q", "--detach")
    assert "no branch is checked out" in team.refusal(ada).message
    assert "no branch nobody" in team.refusal(ada, branch="nobody").message
    assert "in no clone" in team.refusal(Operator(team.remote.parent)).message
    ada.git("switch", "-q", "-c", "staging", "origin/staging")
    ada.git("branch", "-q", "feature")
    assert "has staging checked out" in team.refusal(ada, branch="feature").message
    team.bob.branch("feature", "f", "1")
    team.bob.git("remote", "set-url", "origin", "/nowhere.git")
    assert "cannot be asked" in team.refusal(team.bob).message
    with pytest.raises(InvalidRelease):
        team.plan(ada, branch="--upload-pack=x")


def test_a_hook_of_the_repository_is_not_run_in_the_worktree(team: Team) -> None:
    team.ada.branch("one", "one", "1")
    for name in ("post-checkout", "post-merge", "pre-merge-commit", "commit-msg"):
        hook = team.ada.clone / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {team.remote.parent}/hook-ran\nexit 1\n")
        hook.chmod(0o755)

    team.gather(team.ada, push=True)

    assert not (team.remote.parent / "hook-ran").exists()
