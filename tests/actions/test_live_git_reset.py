"""`git.reset` in real clones of a real remote: a branch made anew, and what that throws away."""

from __future__ import annotations

import pytest

from changeover.errors import ActionFailed
from tests.actions.git_team import Team
from tests.actions.live import acting, applied, planned, undone

pytestmark = pytest.mark.live

RESET = "git.reset"


def test_sync_lists_what_it_throws_away_and_can_be_undone(team: Team) -> None:
    ada, bob = team.ada, team.bob
    ada.branch("merged", "m", "1")
    team.gather(ada, push=True)
    bob.branch("pending", "p", "1")
    team.gather(bob, push=True)
    ada.git("push", "-q", "origin", "merged:main")
    ada.git("fetch", "-q")
    tip = ada.at("origin/staging")

    action, change = applied(RESET, team.host, branch="staging", base="main",
                             clone=str(ada.clone), push=True)  # fmt: skip

    assert "throwing away 2 additions and push it" in change.summary
    assert "- pending (" in change.diff
    assert "Bob" in change.diff
    assert change.diff.count("(its base has it)") == 1
    assert ada.at("origin/staging") == ada.at("origin/main") == ada.at("staging")
    assert ada.at(f"refs/changeover/kept/{tip[:12]}") == tip
    undone(action, team.host, change)
    assert ada.git("ls-remote", "origin", "staging").split()[0] == tip


def test_after_a_colleagues_sync_old_additions_of_ours_are_left_out_and_said(team: Team) -> None:
    team.ada.branch("old", "old", "1")
    team.gather(team.ada)
    team.bob.git("switch", "-q", "main")
    team.bob.commit("b", "1")
    team.bob.git("push", "-q", "origin", "main")
    team.reset(team.bob, push=True)
    team.ada.branch("new", "new", "1")

    change = team.gather(team.ada, push=True)

    assert "1 addition of yours never pushed left out" in change.summary
    assert "- old (" in change.diff
    assert team.ada.files("origin/staging") == {"a", "b", "new"}


def test_sync_over_a_colleagues_push_is_refused(team: Team) -> None:
    team.ada.branch("one", "one", "1")
    team.gather(team.ada, push=True)
    action, change = planned(RESET, team.host, branch="staging", base="main",
                             clone=str(team.ada.clone), push=True)  # fmt: skip
    team.bob.branch("two", "two", "1")
    team.gather(team.bob, push=True)

    with pytest.raises(ActionFailed, match="Bob pushed in the meantime"):
        action.apply(acting(team.host), change)
