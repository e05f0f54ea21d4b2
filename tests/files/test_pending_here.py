"""`changeover files pending` on this machine, without an instance."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.bases.red_hat import RpmFolder
from tests.files.waiting import BASE, OURS, SETTLED, THEIRS, call, leave


def test_a_folder_without_leftovers_owes_nothing(etc: Path) -> None:
    done = call(etc)

    assert (done.exit_code, done.output) == (0, "nothing waits\n")


def test_a_folder_that_is_not_there_is_an_error(etc: Path) -> None:
    done = call(etc / "nowhere")

    assert done.exception is not None
    assert "no such folder" in str(done.exception)


def test_without_a_base_every_difference_is_asked_about_and_secrets_are_hidden(etc: Path) -> None:
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS + "password = changeme99\n")

    done = call(etc)

    assert done.exit_code == 1
    assert "base: none" in done.output
    assert "hunter2" not in done.output
    assert "changeme" not in done.output


def test_a_guess_is_written_only_where_that_is_said(etc: Path) -> None:
    git(etc, "init", "-q")
    (etc / "shop.ini").write_text(BASE)
    git(etc, "add", ".")
    git(etc, "commit", "-qm", "first")
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)

    refused, written = call(etc, "--apply"), call(etc, "--apply", "--guesses")

    assert (refused.exit_code, written.exit_code) == (1, 0)
    assert "--guesses" in refused.output
    merged = "[shop]\nport = 8000\nworkers = 16\npassword = hunter2hunter2\n"
    assert (etc / "shop.ini").read_text() == merged
    assert not (etc / "shop.ini.rpmnew").exists()


def test_a_leftover_of_nothing_is_told_and_left(etc: Path) -> None:
    (etc / "gone.conf.rpmsave").write_text("a\n")

    done = call(etc, "--apply")

    assert done.exit_code == 1
    assert "the file it belongs to is not there" in done.output
    assert (etc / "gone.conf.rpmsave").exists()


def test_what_dpkg_is_still_at_is_left_to_it(etc: Path) -> None:
    leave(etc, "shop.ini", OURS, ".dpkg-new", THEIRS)

    done = call(etc, "--apply", "--guesses")

    assert "dpkg --configure -a" in done.output
    assert (etc / "shop.ini.dpkg-new").exists()


def test_a_file_that_cannot_be_read_does_not_stop_the_others(etc: Path) -> None:
    leave(etc, "bad.toml", "a = = 1\n", ".rpmnew", "a = 2\n")
    leave(etc, "same.ini", BASE, ".rpmnew", BASE)

    done = call(etc, "--apply", "--guesses")

    assert done.exit_code == 1
    assert "1 of 2 merged and cleaned up" in done.output
    assert "line 1" in done.output


def test_a_link_is_followed_and_stays_a_link(etc: Path) -> None:
    (etc / "real").mkdir()
    (etc / "real" / "shop.ini").write_text(BASE)
    (etc / "shop.ini").symlink_to("real/shop.ini")
    (etc / "shop.ini.rpmnew").write_text(BASE + "new = 1\n")

    done = call(etc, "--apply", "--guesses")

    assert (etc / "real" / "shop.ini").read_text() == BASE + "new = 1\n"
    assert done.exit_code == 0, done.output
    assert (etc / "shop.ini").is_symlink()
    assert not (etc / "shop.ini.rpmnew").exists()


def test_an_answer_nobody_asked_for_is_an_error(etc: Path) -> None:
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)

    done = call(etc, "--answer", "shop.nothing=ours")

    assert "no file has such a conflict" in str(done.exception)


@pytest.mark.live
def test_rpmnew_and_rpmsave_of_a_real_package(
    etc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rpm = RpmFolder(tmp_path / "rpm")
    rpm.prepare()
    monkeypatch.setenv("HOME", str(rpm.home))
    old, new = rpm.build("1.0", 80), rpm.build("1.1", 8000)
    rpm.install(old)
    rpm.conffile.write_text("[shop]\nport = 80\nworkers = 16\n")
    rpm.install(new)
    kept = tmp_path / "state" / "store" / "packages"
    kept.mkdir(parents=True)
    shutil.copy(old, kept)

    listed = json.loads(call(rpm.conffile.parent, "-o", "json").stdout)
    done = call(rpm.conffile.parent, "--apply", "--guesses")

    assert [row["leftover"] for row in listed] == [f"{rpm.conffile}.rpmnew"]
    assert listed[0]["base"].startswith("shop 1.0-1: a guess")
    assert done.exit_code == 0, done.output
    assert rpm.conffile.read_text() == "[shop]\nport = 8000\nworkers = 16\n"


def git(folder: Path, *words: str) -> None:
    import subprocess  # noqa: PLC0415 - by one test

    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("keys", "port", "code"),
    [
        ("oy", "8080", 0),
        ("ty", "8000", 0),
        ("e9000\ny", "9000", 0),
        ("cty", "8000", 0),
        ("on", "8080", 1),
        ("s", "8080", 1),
        ("q", "8080", 1),
        ("", "8080", 1),
    ],
)
def test_a_person_settles_and_agrees_with_one_key_each(
    etc: Path, keys: str, port: str, code: int
) -> None:
    leave(etc, "shop.ini", "[shop]\nport = 8080\n", ".rpmnew", "[shop]\nport = 8000\nnew = 1\n")

    done = call(etc, "--apply", "--ask", keys=keys)

    assert done.exit_code == code, done.output
    assert f"port = {port}\n" in (etc / "shop.ini").read_text()
    assert (etc / "shop.ini.rpmnew").exists() == bool(code)
    assert ("new = 1" in (etc / "shop.ini").read_text()) == (code == 0)


def test_an_answer_can_be_taken_back_before_the_next_one(etc: Path) -> None:
    ours, theirs = "[shop]\na = 1\nb = 1\n", "[shop]\na = 2\nb = 2\n"
    leave(etc, "shop.ini", ours, ".rpmnew", theirs)

    call(etc, "--apply", "--ask", keys="outtoy")

    assert (etc / "shop.ini").read_text() == "[shop]\na = 2\nb = 2\n"


def test_of_several_hosts_each_tells_what_it_owes(etc: Path, tmp_path: Path) -> None:
    hosts = "".join(
        f"  {name}: {{transport: local, state_dir: {tmp_path}/state-{name}}}\n" for name in "ab"
    )
    hosts += "  c: {address: 127.0.0.1, port: 1, user: nobody}\n"
    (tmp_path / "instance.yaml").write_text(f"format: 1\nname: x\nproduct: x\nhosts:\n{hosts}")
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)

    done = call(etc, "-i", tmp_path, "-o", "json")

    rows = json.loads(done.stdout)
    assert [(row["host"], bool(row["problem"])) for row in rows] == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]


def test_looking_leaves_nothing_behind(
    etc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)

    call(etc)

    # rpm makes itself a database where it is asked and has none.
    assert list((tmp_path / "home").iterdir()) == []
    assert sorted(path.name for path in etc.iterdir()) == ["shop.ini", "shop.ini.rpmnew"]


def test_a_mistyped_answer_is_refused_before_anything_is_written(etc: Path) -> None:
    leave(etc, "a.ini", "[s]\nport = 80\n", ".rpmnew", "[s]\nport = 80\nnew = 1\n")

    done = call(etc, "--apply", "--guesses", "--answer", "s.prt=ours")

    assert "--answer s.prt: no file has such a conflict" in str(done.exception)
    assert (etc / "a.ini").read_text() == "[s]\nport = 80\n"
    assert (etc / "a.ini.rpmnew").exists()


def test_what_was_merged_is_the_proven_base_of_the_next_package(etc: Path) -> None:
    leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)
    (etc / "link.ini").symlink_to("shop.ini")
    call(etc, "--apply", "--guesses", *SETTLED)
    leave(etc, "shop.ini", (etc / "shop.ini").read_text(), ".rpmnew", THEIRS + "new = 1\n")

    (row,) = json.loads(call(etc, "-o", "json").stdout)
    done = call(etc, "--apply")

    assert row["base"] == "the reference an earlier merge used"
    assert row["sure"] is True
    assert done.exit_code == 0, done.output
    assert "new = 1" in (etc / "shop.ini").read_text()
    assert "workers = 16" in (etc / "shop.ini").read_text()
