import os
import stat
from pathlib import Path

import pytest

from changeover.errors import ActionFailed, InvalidInput
from changeover.hosts.host import ABSENT, FileState, digest
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener

CONTENTS = {
    "empty": b"",
    "text": b"it's $HOME `id` \\n %s\n",
    "no newline at the end": b"a\n\nb",
    "unicode": "é\u2028".encode(),
    "binary": bytes(range(256)) * 7,
    "larger than a request": b"0123456789abcdef" * 5000,
    "larger and binary": bytes(range(256)) * 4000,
}
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def write(transport: ShellTransport, path: Path, content: bytes, mode: int = 0o640) -> None:
    transport.write(str(path), content, mode=mode, owner="", group="")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_is_written_and_seen_byte_for_byte(
    anywhere: ShellTransport, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "it's a file"

    write(anywhere, path, content)

    assert path.read_bytes() == content
    seen = anywhere.look(str(path))
    assert (seen.kind, seen.mode, seen.content) == ("file", 0o640, content)
    assert seen.digest == digest(content)
    assert [p.name for p in tmp_path.iterdir() if p.name != "it's a state"] == [path.name]


def test_a_large_file_shows_its_digest_alone(anywhere: ShellTransport, tmp_path: Path) -> None:
    content = b"x" * ((1 << 20) + 1)
    (tmp_path / "f").write_bytes(content)

    seen = anywhere.look(str(tmp_path / "f"))

    assert seen.content is None
    assert seen.digest == digest(content)


def test_each_kind_of_thing_is_told(anywhere: ShellTransport, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir(mode=0o750)
    (tmp_path / "link").symlink_to("nowhere to\nbe found")
    os.mkfifo(tmp_path / "pipe")

    assert anywhere.look(str(tmp_path / "d")).kind == "dir"
    assert anywhere.look(str(tmp_path / "link")).target == "nowhere to\nbe found"
    assert anywhere.look(str(tmp_path / "pipe")).kind == "other"
    assert anywhere.look(str(tmp_path / "none")) == ABSENT
    assert anywhere.look(str(tmp_path / "none/below")) == ABSENT
    assert anywhere.look("/proc/self/status").kind == "file"


def test_a_path_must_be_absolute(here: ShellTransport) -> None:
    with pytest.raises(InvalidInput, match="absolute"):
        here.look("etc/passwd")


@root_only
def test_owner_and_group_stay_unless_others_are_named(
    anywhere: ShellTransport, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    write(anywhere, path, b"1")
    os.chown(path, 65534, 65534)

    write(anywhere, path, b"2")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)
    anywhere.write(str(path), b"3", mode=0o600, owner="daemon", group="")
    assert (path.stat().st_uid, path.stat().st_gid) == (1, 65534)
    anywhere.write(str(path), b"4", mode=0o600, owner="", group="root")
    assert (path.stat().st_uid, path.stat().st_gid) == (1, 0)
    anywhere.write(str(path), b"5", mode=0o600, owner="root", group="daemon")
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 1)
    assert anywhere.look(str(path)).owner == "root"


@root_only
def test_an_owner_without_a_name_is_shown_by_number(here: ShellTransport, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    os.chown(path, 54321, 54322)

    seen = here.look(str(path))
    here.write(str(path), b"1", mode=0o600, owner=seen.owner, group=seen.group)

    assert (path.stat().st_uid, path.stat().st_gid) == (54321, 54322)


def test_writing_a_link_replaces_the_link(here: ShellTransport, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")

    write(here, tmp_path / "link", b"new")

    assert (tmp_path / "target").read_bytes() == b"old"
    assert (tmp_path / "link").read_bytes() == b"new"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("content", [b"x", b"\xff" * 100_000])
def test_what_cannot_be_written_leaves_nothing_behind(
    anywhere: ShellTransport, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ActionFailed, match="folder"):
        write(anywhere, tmp_path / "folder", content)
    with pytest.raises(ActionFailed, match="none"):
        write(anywhere, tmp_path / "none" / "f", content)
    with pytest.raises(ActionFailed, match="nobody-at-all"):
        anywhere.write(str(tmp_path / "f"), content, mode=0o600, owner="nobody-at-all", group="")

    assert {p.name for p in tmp_path.iterdir()} <= {"folder", "it's a state"}


def test_links_files_and_empty_folders_are_removed(
    anywhere: ShellTransport, tmp_path: Path
) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "to-d").symlink_to("d")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "f").touch()

    for name in ("to-d", "f", "d", "none", "none/below"):
        anywhere.remove(str(tmp_path / name))

    assert {p.name for p in tmp_path.iterdir()} <= {"full", "it's a state"}
    with pytest.raises(ActionFailed, match="full"):
        anywhere.remove(str(tmp_path / "full"))


def test_a_link_is_pointed_elsewhere_in_one_step(anywhere: ShellTransport, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()

    anywhere.link(str(tmp_path / "current"), "1")
    anywhere.link(str(tmp_path / "current"), "2")

    assert (tmp_path / "current").readlink() == Path("2")
    assert list((tmp_path / "1").iterdir()) == []
    assert anywhere.look(str(tmp_path / "current")) == FileState("link", 0o777, target="2")
    with pytest.raises(ActionFailed):
        anywhere.link(str(tmp_path / "1"), "2")


def test_folders_are_made_and_mended(anywhere: ShellTransport, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"

    anywhere.make_folder(str(path), mode=0o700, owner="", group="")
    assert (mode_of(path), mode_of(path.parent)) == (0o700, 0o755)
    anywhere.make_folder(str(path), mode=0o2755, owner="", group="")
    assert mode_of(path) == 0o2755
    (tmp_path / "f").touch()
    with pytest.raises(ActionFailed):
        anywhere.make_folder(str(tmp_path / "f"), mode=0o700, owner="", group="")


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_what_was_kept_comes_back_byte_for_byte(
    anywhere: ShellTransport, state: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)

    kept = anywhere.keep(str(path))
    write(anywhere, path, b"other")
    anywhere.restore(kept, str(path), mode=0o604, owner="", group="")

    assert kept == digest(content)
    assert path.read_bytes() == content
    assert mode_of(path) == 0o604
    assert mode_of(state / "store") == 0o700
    assert mode_of(state / "store" / kept) == 0o600
    assert [p.name for p in (state / "store").iterdir()] == [kept]


def test_what_is_damaged_in_the_store_does_not_come_back(
    here: ShellTransport, state: Path, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"right")
    kept = here.keep(str(path))
    (state / "store" / kept).write_bytes(b"wrong")

    with pytest.raises(ActionFailed, match="no longer what it was"):
        here.restore(kept, str(path), mode=0o600, owner="", group="")
    with pytest.raises(ActionFailed, match="0000"):
        here.restore("0" * 64, str(path), mode=0o600, owner="", group="")

    assert path.read_bytes() == b"right"
    assert {p.name for p in tmp_path.iterdir()} == {"f", "it's a state"}


def test_only_files_are_kept(here: ShellTransport, tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="not a file"):
        here.keep(str(tmp_path))
    with pytest.raises(ActionFailed, match="not a file"):
        here.keep(str(tmp_path / "none"))


@root_only
def test_an_ordinary_user_is_told_what_it_may_not_see(another: Opener, tmp_path: Path) -> None:
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0o600)
    nobody = another(words=("runuser", "-u", "nobody", "--", "/bin/sh", "-c"))

    assert nobody.look(str(tmp_path / "none")) == ABSENT
    with pytest.raises(ActionFailed, match="secret"):
        nobody.look(str(tmp_path / "secret"))
    with pytest.raises(ActionFailed, match="closed: may not be searched"):
        nobody.look(str(tmp_path / "closed" / "deep" / "f"))
    with pytest.raises(ActionFailed, match="closed: may not be searched"):
        nobody.remove(str(tmp_path / "closed" / "f"))
