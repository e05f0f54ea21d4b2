"""deploy.release and deploy.prune on real folders."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from tests.actions.deploy_host import build, carried_out, git, taken_back
from tests.actions.live import acting


@pytest.fixture
def host(host: Host) -> Host:
    """This machine, as a new attempt of a step sees it."""
    return acting(host)


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
