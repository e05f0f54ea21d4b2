"""`changeover files pending`, killed at any change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from changeover.hosts.transport import ShellTransport
from tests.files.waiting import OURS, SETTLED, THEIRS, call, leave

CHANGING = ("write", "remove", "make_folder", "keep", "run")


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_change_leaves_the_file_old_or_new_whole_and_a_rerun_ends_it(
    etc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    new = "[shop]\nport = 8000\nworkers = 16\npassword = hunter2hunter2\n"
    for last in range(1, 40):
        for folder in (etc, tmp_path / "state"):
            shutil.rmtree(folder, ignore_errors=True)
        etc.mkdir()
        leave(etc, "shop.ini", OURS, ".rpmnew", THEIRS)
        (etc / "shop.ini").chmod(0o640)
        with monkeypatch.context() as dying:
            dies(dying, last, after=after)
            killed = call(etc, "--apply", "--guesses", *SETTLED)

        assert (etc / "shop.ini").read_text() in (OURS, new)
        assert (etc / "shop.ini").stat().st_mode & 0o777 == 0o640
        if killed.exit_code == 0:
            break
        # What is merged already asks for fewer answers, and refuses those nobody asks for.
        again = killed
        for answers in (SETTLED, SETTLED[2:], ()):
            again = call(etc, "--apply", "--guesses", *answers)
            if again.exit_code == 0:
                break
        assert again.exit_code == 0, (last, again.output, again.exception)
        assert (etc / "shop.ini").read_text() == new
        assert OURS.encode() in [p.read_bytes() for p in (tmp_path / "state/store").iterdir()]
        assert not (etc / "shop.ini.rpmnew").exists()

    assert last > 4


def dies(monkeypatch: pytest.MonkeyPatch, last: int, *, after: bool) -> None:
    """Interrupt the tool at its n-th change of the host: before it, or once it has happened."""
    calls = 0
    for name in CHANGING:
        real = getattr(ShellTransport, name)

        def mortal(self: Any, *given: Any, real: Any = real, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == last and not after:
                raise KeyboardInterrupt
            found = real(self, *given, **named)
            if calls == last:
                raise KeyboardInterrupt
            return found

        monkeypatch.setattr(ShellTransport, name, mortal)
