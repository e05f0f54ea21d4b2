import json
import os
from pathlib import Path

import pytest

from changeover.errors import NotReady
from changeover.hosts.command import command, shell
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener


def line(number: int, text: str = "") -> str:
    return json.dumps({"seq": number, "text": text})


def test_a_line_is_there_before_the_effect_it_announces(
    anywhere: ShellTransport, state: Path
) -> None:
    anywhere.announce(line(1, "it's $HOME %s \\n"))
    assert not state.exists()

    done = anywhere.run(shell('cat "$1"', str(state / "journal")), timeout=9, silence=None)

    assert done.stdout.strip() == line(1, "it's $HOME %s \\n")
    assert anywhere.journal_lines() == [line(1, "it's $HOME %s \\n")]


def test_every_kind_of_request_carries_the_lines(here: ShellTransport, tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    requests = [
        lambda: here.write(path, b"x", mode=0o600, owner="", group=""),
        lambda: here.look(path),
        lambda: here.keep(path),
        lambda: here.once("k", command("true"), timeout=9, silence=None),
        lambda: here.remove(path),
        here.flush,
    ]
    for number, request in enumerate(requests):
        here.announce(line(number))
        request()

    assert here.journal_lines() == [line(number) for number in range(len(requests))]
    assert (Path(here.state_dir) / "journal").stat().st_mode & 0o777 == 0o600


def test_torn_and_repeated_lines_are_passed_over(here: ShellTransport, state: Path) -> None:
    here.announce(line(1))
    here.flush()
    with (state / "journal").open("a") as journal:
        journal.write('{"seq": 2, "te')
    here.announce(line(3))
    here.announce(line(3))
    here.flush()

    assert here.journal_lines() == [line(1), line(3)]


def test_a_line_that_others_could_tear_is_refused(here: ShellTransport) -> None:
    for wrong in ("a\nb", "x" * 4001):
        with pytest.raises(ValueError, match="one line"):
            here.announce(wrong)


def test_a_full_disk_stops_the_effect_and_the_line_waits(
    anywhere: ShellTransport, state: Path, tmp_path: Path
) -> None:
    state.mkdir(mode=0o700)
    (state / "journal").symlink_to("/dev/full")
    anywhere.announce(line(1))

    with pytest.raises(NotReady, match="nothing was done"):
        anywhere.run(command("touch", str(tmp_path / "effect")), timeout=9, silence=None)
    with pytest.raises(NotReady, match="nothing was done"):
        anywhere.write(str(tmp_path / "effect"), b"", mode=0o600, owner="", group="")
    with pytest.raises(NotReady, match="nothing was done"):
        anywhere.once("k", command("touch", str(tmp_path / "effect")), timeout=9, silence=None)

    assert not (tmp_path / "effect").exists()
    (state / "journal").unlink()
    anywhere.flush()
    assert anywhere.journal_lines() == [line(1)]


@pytest.mark.skipif(os.geteuid() != 0, reason="root may write everywhere, this is about others")
def test_a_user_who_may_not_keep_state_is_told_what_to_do(another: Opener) -> None:
    nobody = another(words=("runuser", "-u", "nobody", "--", "/bin/sh", "-c"))
    nobody.announce(line(1))

    with pytest.raises(NotReady, match="Permission denied") as told:
        nobody.run(command("true"), timeout=9, silence=None)

    assert "state_dir" in told.value.remedy
