"""File actions on this machine, as whoever runs the tests, and as an ordinary user."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, planned, undone


def bits(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_rewritten_and_comes_back_byte_for_byte(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.conf"
    path.write_bytes(old := bytes(range(256)) + b"\r\nno end")
    path.chmod(0o604)

    action, change = applied("files.write", host, path=str(path), content="new\n", mode="0640")

    assert path.read_text() == "new\n"
    assert bits(path) == 0o640
    assert change.diff == f"Binary file {path}: 264 bytes -> 4 bytes\n"
    undone(action, host, change)
    assert path.read_bytes() == old
    assert bits(path) == 0o604


def test_the_way_back_shows_its_diff_and_asks_before_it_loses_an_edit(
    host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "app.conf"
    path.write_text("old\n")
    action, change = applied("files.template", host, path=str(path), content="new\n")
    path.write_text("edited\n")

    back = undone(action, host, change)

    assert "-edited\n+old\n" in back.diff
    assert "changed since the run; lose that?" in back.question
    assert path.read_text() == "old\n"


def test_a_new_file_is_taken_away(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "new"

    action, change = applied("files.write", host, path=str(path), content="x")

    assert bits(path) == 0o644
    undone(action, host, change)
    assert not path.exists()


def test_a_validator_keeps_a_broken_file_out(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "sudoers"
    path.write_text("old")
    action, change = planned(
        "files.write", host, path=str(path), content="bad", validate=["grep", "-q", "good", "{}"]
    )

    with pytest.raises(ActionFailed, match="grep refuses the new content"):
        action.apply(acting(host), change)

    assert path.read_text() == "old"
    assert list((tmp_path / "state" / "validate").iterdir()) == []


def test_a_large_file_is_copied_and_undone(host: Host, tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(large := os.urandom(1 << 20) * 3)
    source.chmod(0o600)

    action, change = applied("files.copy", host, source=str(source), path=str(path))

    assert path.read_bytes() == large
    assert bits(path) == 0o600
    undone(action, host, change)
    assert not path.exists()


def test_a_link_is_switched_and_switched_back(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "current"
    path.symlink_to("releases/1")

    action, change = applied("files.link", host, path=str(path), target="releases/2")

    assert str(path.readlink()) == "releases/2"
    undone(action, host, change)
    assert str(path.readlink()) == "releases/1"


def test_a_folder_is_removed_and_comes_back_whole(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "old release"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_bytes(b"\x00content")
    (folder / "sub" / "file").chmod(0o640)
    (folder / "link").symlink_to("sub/file")
    os.utime(folder / "sub" / "file", (1_600_000_000, 1_600_000_000))

    action, change = applied("files.remove", host, path=str(folder), recursive=True)

    assert not folder.exists()
    assert list(tmp_path.glob("old release*")) == []
    assert change.summary.startswith(f"remove {folder} with 3 entries")
    undone(action, host, change)
    assert (folder / "sub" / "file").read_bytes() == b"\x00content"
    assert (folder / "sub" / "file").stat().st_mtime == 1_600_000_000
    assert bits(folder / "sub" / "file") == 0o640
    assert str((folder / "link").readlink()) == "sub/file"


def test_a_removed_file_comes_back(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")

    action, change = applied("files.remove", host, path=str(path))

    assert not path.exists()
    undone(action, host, change)
    assert path.read_text() == "x"


def test_a_line_and_a_block_are_edited_and_undone(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text("Port 1\nend")

    line = applied("files.line", host, path=str(path), key="Port", line="Port 2")
    block = applied("files.block", host, path=str(path), content="a\nb", label="shop")

    assert path.read_text() == "Port 2\nend\n# begin shop\na\nb\n# end shop\n"
    undone(block[0], host, block[1])
    undone(line[0], host, line[1])
    assert path.read_text() == "Port 1\nend"


def test_folders_are_made_and_removed_unless_somebody_uses_them(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"

    action, change = applied("files.directory", host, path=str(folder), mode="0750")

    assert bits(folder) == 0o750
    (tmp_path / "a" / "used").write_text("")
    undone(action, host, change)
    assert not folder.exists()
    assert (tmp_path / "a" / "used").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_gives_files_away_and_takes_them_back(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.conf"
    path.write_text("old")

    action, change = applied(
        "files.write", host, path=str(path), content="old", owner="nobody", group="nogroup"
    )

    assert (path.owner(), path.group()) == ("nobody", "nogroup")
    undone(action, host, change)
    assert (path.owner(), path.group()) == ("root", "root")


def test_preflight_finds_what_would_fail(host: Host, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    def failures(use: str, **params: Any) -> list[str]:
        found = build(use, params).check(host)
        return [f.message for f in found if f.severity is Severity.FAIL]

    assert failures("files.write", path=str(tmp_path / "folder"), content="") == [
        f"here: {tmp_path}/folder: a folder is where a file should be"
    ]
    assert failures("files.write", path=str(tmp_path / "no" / "x"), content="", owner="nosuch") == [
        f"{tmp_path}/no: no such folder", f"{tmp_path}/no/x: no user nosuch",
    ]  # fmt: skip
    assert failures("files.write", path=str(tmp_path / "ok"), content="x") == []
    assert failures("files.remove", path=str(tmp_path / "folder"), recursive=True) == []
    assert failures("files.remove", path=str(tmp_path / "folder")) == [
        f"{tmp_path}/folder is a folder"
    ]
