"""git.checkout, deploy.release and deploy.prune on real repositories and folders."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.actions.base import Action
from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.host import Host
from tests.actions.deploy_host import build, carried_out, taken_back, this_machine
from tests.actions.live import acting


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    here = this_machine(tmp_path)
    yield here
    here.transport.close()


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


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@shop.example")
    asked = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "version").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", text)
    return git(folder, "rev-parse", "HEAD")


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


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    folder = tmp_path / "releases"
    for name in ("a1", "b2", "c3"):
        (folder / name).mkdir(parents=True)
        (folder / name / "version").write_text(name)
    return folder


def switching(tmp_path: Path, name: str) -> dict[str, str]:
    return {"link": f"{tmp_path}/app", "release": f"{tmp_path}/releases/{name}"}


@pytest.mark.live
def test_a_link_is_switched_and_led_back(tmp_path: Path, releases: Path, host: Host) -> None:
    carried_out(host, build("deploy.release", switching(tmp_path, "a1")))
    action = build("deploy.release", switching(tmp_path, "b2"))

    change = carried_out(host, action)

    assert (tmp_path / "app" / "version").read_text() == "b2"
    assert (releases / "previous" / "version").read_text() == "a1"
    taken_back(host, action, change)
    assert (tmp_path / "app" / "version").read_text() == "a1"
    assert not (releases / "previous").exists()


@pytest.mark.live
def test_a_plain_folder_is_adopted_and_undo_makes_it_plain_again(
    tmp_path: Path, origin: Path, releases: Path, host: Host
) -> None:
    git(tmp_path, "clone", "-q", str(origin), "app")
    app, head = tmp_path / "app", git(origin, "rev-parse", "HEAD")[:12]
    inode = app.stat().st_ino
    action = build("deploy.release", switching(tmp_path, "a1"))

    change = carried_out(host, action)

    assert app.is_symlink()
    assert (app / "version").read_text() == "a1"
    assert (releases / f"adopted-{head}").stat().st_ino == inode
    taken_back(host, action, change)
    assert not app.is_symlink()
    assert app.stat().st_ino == inode
    assert not (releases / f"adopted-{head}").exists()


@pytest.mark.live
def test_a_path_below_is_there_at_every_moment_of_an_adoption(
    tmp_path: Path, releases: Path, host: Host
) -> None:
    apps = [tmp_path / f"app{number}" for number in range(10)]
    for app in apps:
        app.mkdir()
        (app / "version").write_text("plain")
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for app in apps:
                at = app / "version"
                seen.add(at.read_text() if at.exists() else "missing")

    reader = threading.Thread(target=read)
    reader.start()
    for app in apps:
        params = {"link": str(app), "release": str(releases / "b2")}
        carried_out(host, build("deploy.release", params))
    done.set()
    reader.join()

    assert seen == {"plain", "b2"}


@pytest.mark.live
def test_an_adoption_killed_after_its_first_half_is_finished_or_undone(
    tmp_path: Path, releases: Path, host: Host
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "version").write_text("plain")
    action = build("deploy.release", switching(tmp_path, "a1"))
    change = action.plan(host)
    loop = Path(change.before["adopted"])
    loop.symlink_to(loop)

    action.apply(host, change)

    assert (app / "version").read_text() == "a1"
    taken_back(host, action, change)
    assert (app / "version").read_text() == "plain"
    assert not loop.is_symlink()


@pytest.mark.live
def test_pruning_keeps_what_links_lead_to_and_the_newest_others(
    tmp_path: Path, releases: Path, host: Host
) -> None:
    for name in ("d4", "e5", "f6"):
        (releases / name).mkdir()
    for number, name in enumerate(["a1", "b2", "c3", "d4", "e5", "f6"]):
        subprocess.run(["touch", "-d", f"@{1000 + number}", str(releases / name)], check=True)
    (tmp_path / "app").symlink_to(releases / "b2")
    (releases / "previous").symlink_to(releases / "a1")
    params = {"releases": str(releases), "links": [f"{tmp_path}/app"], "keep": 1}

    carried_out(host, build("deploy.prune", params))

    assert sorted(p.name for p in releases.iterdir()) == ["a1", "b2", "f6", "previous"]


@pytest.mark.live
def test_nothing_is_pruned_while_it_is_unknown_what_is_served(
    tmp_path: Path, releases: Path, host: Host
) -> None:
    params = {"releases": str(releases), "links": [f"{tmp_path}/app"], "keep": 0}

    with pytest.raises(ActionFailed, match="no such link"):
        carried_out(host, build("deploy.prune", params))

    assert len(list(releases.iterdir())) == 3
