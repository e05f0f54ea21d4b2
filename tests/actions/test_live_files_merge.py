"""Merges of configuration files on this machine: what arrives, what stays, what comes back."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from changeover.actions.builtin import build
from changeover.bases.record import record_base, record_path
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.model.findings import Severity
from changeover.model.plan import Effect
from tests.actions.live import applied, undone
from tests.actions.merging import (
    BASE,
    EDITED,
    MERGED,
    REFERENCE,
    build_merge,
    edited,
    leftovers,
    merging,
)


@pytest.fixture
def path(tmp_path: Path, host: Host) -> Path:
    """An edited file whose reference was recorded by an earlier run."""
    return edited(tmp_path, host)


def test_defaults_arrive_and_edits_stay_and_all_comes_back_byte_for_byte(
    host: Host, path: Path
) -> None:
    action, change = applied("files.merge", host, **merging(path))

    assert path.read_text() == MERGED
    assert change.summary == (
        f"merge {path}: from the new reference: workers, timeout; kept from here: port, log.file"
    )
    assert "-workers = 2\n+workers = 4\n+timeout = 30\n" in change.diff
    assert leftovers(path, host) == []
    undone(action, host, change)
    assert path.read_text() == EDITED
    assert host.read(record_path(host, str(path))) == BASE.encode()


def test_the_next_release_merges_with_what_this_one_recorded(host: Host, path: Path) -> None:
    applied("files.merge", host, **merging(path))

    applied("files.merge", host, **merging(path, REFERENCE.replace("timeout = 30", "timeout = 60")))

    assert path.read_text() == MERGED.replace("timeout = 30", "timeout = 60")


def test_two_releases_planned_at_once_lead_where_two_runs_lead(host: Host, path: Path) -> None:
    second = REFERENCE.replace("workers = 4", "workers = 8").replace("timeout = 30\n", "")
    shadow = shadow_of(host)
    diffs = []
    for content in (REFERENCE, second):
        action = build("files.merge", merging(path, content))
        action.foresee(shadow, change := action.plan(shadow))
        diffs.append(change.diff)

    assert "+workers = 8" in diffs[1]
    assert "timeout" not in (shadow.read(str(path)) or b"").decode()
    assert path.read_text() == EDITED


def test_a_file_nobody_has_is_the_reference(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "fresh.toml"

    action, change = applied("files.merge", host, **merging(path, mode="0600"))

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (REFERENCE, 0o600)
    assert change.effect is Effect.CREATE
    undone(action, host, change)
    assert not path.exists()
    assert not host.look(record_path(host, str(path))).there


def test_links_are_written_through(host: Host, path: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "app.toml"
    link.symlink_to("../app.toml")

    action, change = applied("files.merge", host, **merging(link))

    assert link.is_symlink()
    assert path.read_text() == MERGED
    undone(action, host, change)
    assert (link.is_symlink(), path.read_text()) == (True, EDITED)


def test_mode_owner_and_access_lists_stay(host: Host, path: Path) -> None:
    path.chmod(0o640)
    os.chown(path, 1, 1)
    subprocess.run(["setfacl", "-m", "u:33:r", str(path)], check=True)
    before = access(path)

    action, change = applied("files.merge", host, **merging(path))

    assert access(path) == before
    undone(action, host, change)
    assert access(path) == before


def access(path: Path) -> str:
    told = subprocess.run(
        ["getfacl", "--numeric", "--absolute-names", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "user:33:r" in told
    return told


def test_a_file_mounted_alone_keeps_its_inode_there_and_back(host: Host, path: Path) -> None:
    inode = path.stat().st_ino

    action, change = applied("files.merge", host, **merging(path, mounted=True))

    assert (path.stat().st_ino, path.read_text()) == (inode, MERGED)
    undone(action, host, change)
    assert (path.stat().st_ino, path.read_text()) == (inode, EDITED)


def test_ours_may_be_the_file_of_another_slot(host: Host, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "next" / "app.toml"
    other.parent.mkdir()

    action, change = applied("files.merge", host, **merging(other, ours=str(path)))

    assert (other.read_text(), path.read_text()) == (MERGED, EDITED)
    undone(action, host, change)
    assert (other.exists(), path.read_text()) == (False, EDITED)


def test_secrets_are_masked_in_what_is_shown(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.toml"
    path.write_text("[db]\npassword = 'hunter2'\nuser = 'joe'\n")
    record_base(host, str(path), b"[db]\npassword = 'x'\nuser = 'app'\n")
    theirs = "[db]\npassword = 'changeme'\nuser = 'web'\nurl = 'pg://u:sesame@db'\n"

    action = build_merge(merging(path, theirs, secrets=["db.user"]))
    shown = action.plan(host).diff + "".join(f.message for f in action.check(host))

    assert [c.path for c in action.merged(host).conflicts] == ["db.password", "db.user"]
    for secret in ("hunter2", "changeme", "sesame", "joe", "'web'"):
        assert secret not in shown
    assert "theirs •••" in shown


def test_an_edit_since_the_run_is_not_lost_unasked(host: Host, path: Path) -> None:
    action, change = applied("files.merge", host, **merging(path))
    path.write_text("port = 1\n")

    assert "changed since the run; lose that?" in undone(action, host, change).question


@pytest.mark.parametrize(
    ("content", "why"),
    [("port = = 1\n", "line 1, column 8: theirs: not TOML"), (REFERENCE, None)],
)
def test_a_file_that_cannot_be_read_is_named(
    host: Host, path: Path, content: str, why: str | None
) -> None:
    if why is None:
        path.write_text("port = [\n")
    with pytest.raises(ActionFailed, match=why or "ours: "):
        build_merge(merging(path, content)).plan(host)


@pytest.fixture
def lock(path: Path) -> Iterator[Callable[[str], None]]:
    """Set an attribute on the file; taken away in the end."""
    done: list[str] = []

    def change(attribute: str) -> None:
        made = subprocess.run(["chattr", f"+{attribute}", path], capture_output=True, check=False)
        if made.returncode:
            said = f"no such attributes on the file system of {path}: {made.stderr!r}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
        done.append(attribute)

    yield change
    for attribute in done:
        subprocess.run(["chattr", f"-{attribute}", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set attributes")
@pytest.mark.parametrize("attribute", ["i", "a"])
def test_a_file_that_an_attribute_locks_is_found_by_the_check(
    host: Host, path: Path, lock: Callable[[str], None], attribute: str
) -> None:
    lock(attribute)
    action = build_merge(merging(path))

    found = [f for f in action.check(host) if f.severity is Severity.FAIL]

    assert [f.message for f in found] == [
        f"{path}: an attribute keeps it, or its folder, from being changed"
    ]
    assert "chattr -ia" in found[0].remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set attributes")
def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(
    host: Host, path: Path, lock: Callable[[str], None]
) -> None:
    lock("i")
    before = sorted(path.parent.iterdir())

    with pytest.raises(ActionFailed, match="Operation not permitted"):
        applied("files.merge", host, **merging(path))

    assert sorted(path.parent.iterdir()) == before
    assert path.read_text() == EDITED
