"""`git.checkout` with real repositories: any name, at the commit it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.actions.base import Action
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from tests.actions.deploy_host import build, carried_out, commit, git, taken_back
from tests.actions.live import acting


@pytest.fixture
def host(host: Host) -> Host:
    """This machine, as a new attempt of a step sees it."""
    return acting(host)


@pytest.mark.live
@pytest.mark.parametrize("ref", ["v1", "main", "refs/heads/main"])
def test_a_name_is_checked_out_at_the_commit_it_stands_for(
    tmp_path: Path, origin: Path, host: Host, ref: str
) -> None:
    action = build(
        "git.checkout",
        {"repository": str(origin), "ref": ref, "into": str(tmp_path / "releases" / "{commit}")},
    )

    change = carried_out(host, action)

    tree = Path(change.before["folder"])
    assert git(tree, "rev-parse", "HEAD") == git(origin, "rev-parse", f"{ref}^{{commit}}")
    assert git(tree, "remote", "get-url", "origin") == str(origin)
    assert git(tree, "status", "--porcelain") == ""
    assert not action.plan(host).needed


@pytest.mark.live
def test_a_commit_no_branch_knows_is_found(tmp_path: Path, origin: Path, host: Host) -> None:
    lost = commit(origin, "lost")
    git(origin, "reset", "-q", "--hard", "HEAD~1")
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    action = build(
        "git.checkout", {"repository": f"file://{origin}", "ref": lost, "into": f"{tmp_path}/tree"}
    )

    carried_out(host, action)

    assert (tmp_path / "tree" / "version").read_text() == "lost"


@pytest.mark.live
def test_a_branch_that_moves_after_the_plan_moves_its_fact(
    tmp_path: Path, origin: Path, host: Host
) -> None:
    params = {"repository": str(origin), "ref": "main", "into": f"{tmp_path}/r/{{commit}}"}
    action = build("git.checkout", params)
    planned = action.plan(host)

    moved = commit(origin, "three")

    (was,), (now,) = planned.facts.values(), action.plan(host).facts.values()
    assert (was == moved, now == moved) == (False, True)
    action.apply(host, planned)
    assert Path(planned.before["folder"], "version").read_text() == "two"


@pytest.mark.live
def test_the_link_leads_to_the_new_tree_and_undo_removes_both(
    tmp_path: Path, origin: Path, host: Host
) -> None:
    link = tmp_path / "releases" / "next"
    params = {"repository": str(origin), "ref": "v1", "into": f"{tmp_path}/releases/{{commit}}"}
    action = build("git.checkout", {**params, "link": str(link)})

    change = carried_out(host, action)

    assert (link / "version").read_text() == "one"
    taken_back(host, action, change)
    assert list((tmp_path / "releases").iterdir()) == []


@pytest.mark.live
def test_a_fixed_folder_is_replaced_in_one_step_and_comes_back_on_undo(
    tmp_path: Path, origin: Path, host: Host
) -> None:
    def action(ref: str) -> Action:
        into = str(tmp_path / "app")
        return build("git.checkout", {"repository": str(origin), "ref": ref, "into": into})

    carried_out(host, action("v1"))
    (tmp_path / "app" / "local.txt").write_text("mine")
    second = acting(host)
    newer = action("main")

    change = carried_out(second, newer)

    assert (tmp_path / "app" / "version").read_text() == "two"
    taken_back(second, newer, change)
    assert (tmp_path / "app" / "version").read_text() == "one"
    assert (tmp_path / "app" / "local.txt").read_text() == "mine"
    assert not (tmp_path / "app.before").exists()


@pytest.mark.live
def test_a_killed_checkout_is_taken_up_again(tmp_path: Path, origin: Path, host: Host) -> None:
    params = {"repository": str(origin), "ref": "main", "into": f"{tmp_path}/r/{{commit}}"}
    action = build("git.checkout", params)
    change = action.plan(host)
    half = Path(change.before["folder"] + ".partial")
    half.mkdir(parents=True)
    (half / "version").write_text("hal")

    action.apply(host, change)

    assert Path(change.before["folder"], "version").read_text() == "two"
    assert not half.exists()


@pytest.mark.live
def test_an_unknown_name_and_an_unreachable_repository_say_what_to_do(
    tmp_path: Path, origin: Path, host: Host
) -> None:
    unknown = build("git.checkout", {"repository": str(origin), "ref": "nope", "into": "/x/y"})
    nowhere = build("git.checkout", {"repository": "/no/where", "ref": "main", "into": "/x/y"})

    with pytest.raises(ActionFailed, match="no branch, tag or known commit nope") as first:
        unknown.plan(host)
    with pytest.raises(ActionFailed, match="/no/where: cannot be read: ") as second:
        nowhere.plan(host)

    assert "Push it first" in first.value.remedy
    assert "Check the address" in second.value.remedy


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(InvalidRelease, match="the address holds a password"):
        build(
            "git.checkout",
            {"repository": "https://ann:hunter22@git.example/x.git", "ref": "main", "into": "/a/b"},
        )


@pytest.mark.live
def test_submodules_are_refused(tmp_path: Path, origin: Path, host: Host) -> None:
    (origin / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = /nowhere\n')
    commit(origin, "with submodules")
    params = {"repository": str(origin), "ref": "main", "into": f"{tmp_path}/tree"}
    action = build("git.checkout", params)

    with pytest.raises(ActionFailed, match="submodules"):
        carried_out(host, action)

    assert not (tmp_path / "tree").exists()
