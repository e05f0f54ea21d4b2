from pathlib import Path

import pytest

from changeover.errors import ActionFailed
from changeover.hosts.command import Completed, command
from changeover.hosts.fake import FakeTransport, fake_file
from changeover.hosts.host import ABSENT, FileState, Host
from changeover.hosts.shadow import shadow_of
from changeover.hosts.transport import ShellTransport


@pytest.fixture
def real() -> FakeTransport:
    return FakeTransport(
        {"id": Completed(0, "root\n")},
        {
            "/etc/app.conf": fake_file(b"old", 0o640, "app"),
            "/srv": FileState("dir", 0o755, "root", "root"),
            "/srv/1": FileState("dir", 0o755, "root", "root"),
            "/srv/1/version": fake_file(b"1"),
            "/srv/current": FileState("link", target="1"),
        },
    )


@pytest.fixture
def shadow(real: FakeTransport) -> Host:
    return shadow_of(Host("web", real))


def test_what_is_laid_is_seen_and_the_host_stays_as_it_is(
    shadow: Host, real: FakeTransport
) -> None:
    before = dict(real.files)

    shadow.write("/etc/app.conf", b"new")
    shadow.make_folder("/var/lib/app/a", mode=0o700)
    shadow.link("/var/lib/app/b", "a")
    shadow.remove("/srv/1/version")

    assert shadow.read("/etc/app.conf") == b"new"
    assert shadow.look("/etc/app.conf").owner == "app"
    assert shadow.look("/var/lib/app/a").mode == 0o700
    assert shadow.look("/var/lib/app").kind == "dir"
    assert shadow.look("/var/lib/app/b").target == "a"
    assert shadow.look("/srv/1/version") == ABSENT
    assert real.files == before
    assert real.journal == []


def test_shadows_of_one_host_know_nothing_of_each_other(shadow: Host, real: FakeTransport) -> None:
    shadow.write("/f", b"")

    assert not shadow_of(Host("web", real)).look("/f").there


def test_paths_below_a_laid_link_lead_to_where_it_points(shadow: Host) -> None:
    shadow.make_folder("/srv/2")
    shadow.write("/srv/2/version", b"2")
    shadow.link("/srv/current", "2")

    assert shadow.read("/srv/current/version") == b"2"
    shadow.link("/srv/current", "/srv/1")
    assert shadow.read("/srv/current/version") == b"1"
    assert shadow.look("/srv/current").target == "/srv/1"


def test_paths_below_a_real_link_lead_to_what_was_laid(shadow: Host) -> None:
    shadow.write("/srv/1/version", b"1.1")
    assert shadow.read("/srv/current/version") == b"1.1"

    shadow.write("/srv/current/new", b"n")
    assert shadow.read("/srv/1/new") == b"n"


def test_links_that_lead_nowhere_end(shadow: Host) -> None:
    shadow.link("/a", "b")
    shadow.link("/b", "a")

    with pytest.raises(ActionFailed, match="too many links"):
        shadow.look("/a/f")


def test_nothing_is_below_what_was_removed_or_became_a_file(shadow: Host) -> None:
    shadow.remove("/srv/1")
    assert shadow.look("/srv/1/version") == ABSENT

    shadow.write("/srv/1", b"")
    assert shadow.look("/srv/1/version") == ABSENT


def test_what_was_kept_comes_back(shadow: Host, real: FakeTransport) -> None:
    kept = shadow.keep("/etc/app.conf")
    shadow.write("/etc/app.conf", b"new")

    shadow.restore(kept, "/etc/app.conf", mode=0o640)
    shadow.restore("f" * 64, "/etc/other", mode=0o600)

    assert shadow.read("/etc/app.conf") == b"old"
    assert shadow.look("/etc/other").digest == "f" * 64
    assert real.kept == {}
    with pytest.raises(ActionFailed, match="not a file"):
        shadow.keep("/srv")


def test_commands_ask_the_host_and_nothing_runs_once(shadow: Host, real: FakeTransport) -> None:
    assert shadow.do(command("id")) == "root\n"

    with pytest.raises(ActionFailed, match="run time"):
        shadow.once(command("id"))
    assert real.ran == ["id"]


def test_a_shadow_is_never_locked(shadow: Host) -> None:
    with pytest.raises(RuntimeError, match="shadow"):
        shadow.transport.lock_take(1, "me", 30)

    assert shadow.transport.lock_show() is None
    assert shadow.transport.leftover() is None


def test_a_real_host_has_a_shadow_too(here: ShellTransport, tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "f").write_bytes(b"real")
    (tmp_path / "current").symlink_to("1")
    shadow = shadow_of(Host("here", here))

    shadow.write(str(tmp_path / "1" / "g"), b"laid")

    assert shadow.read(str(tmp_path / "current" / "f")) == b"real"
    assert shadow.read(str(tmp_path / "current" / "g")) == b"laid"
    assert shadow.look(str(tmp_path / "1" / "g")).owner == here.who[1]
    assert not (tmp_path / "1" / "g").exists()
