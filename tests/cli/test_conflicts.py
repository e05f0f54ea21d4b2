"""Conflicts of configuration files, answered on a terminal while a plan is made."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from tests.cli.test_commands import CHANGEOVER, LIMIT
from tests.engine.test_merging import SECOND, edit, publish, world
from tests.engine.world import World

__all__ = ["world"]


class Terminal:
    """A command on a terminal of its own, and what it says."""

    def __init__(self, *words: str) -> None:
        self._master, slave = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": "src", "TERM": "dumb"}
        self.command = subprocess.Popen(
            [*CHANGEOVER, *words], stdin=slave, stdout=slave, stderr=slave, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.said = ""

    def await_text(self, text: str) -> None:
        """Return once a text was said."""
        end = time.monotonic() + LIMIT
        while text not in self.said and time.monotonic() < end and self._read():
            pass
        assert text in self.said, self.said

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Return the exit code; all that was said is read."""
        while self._read():
            pass
        os.close(self._master)
        return self.command.wait(LIMIT)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], LIMIT)
        try:
            found = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux says so where the other end is closed
            found = b""
        self.said += found.decode(errors="replace")
        return bool(found)


def test_one_key_settles_a_conflict_and_is_remembered(world: World, tmp_path: Path) -> None:
    file = edit(world, "port = 80", "port = 8080")
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"), notes={"port": "Why."})

    terminal = Terminal("-i", str(world.instance), "apply", "--yes")
    terminal.await_text("o ours, t theirs")
    terminal.type("\x1bOP")  # F1, which is no `o`
    terminal.type("xt")

    assert terminal.end() == 0, terminal.said
    assert "note    Why." in terminal.said
    assert "port = 81\nworkers = 4\n" in file.read_text()
    assert "answer: theirs" in (world.instance / "answers.yaml").read_text()


def test_skipping_leaves_the_conflict_open(world: World) -> None:
    file = edit(world, "port = 80", "port = 8080")
    publish(world, "1.1.0", SECOND.replace("port = 80", "port = 81"))

    terminal = Terminal("-i", str(world.instance), "apply", "--yes")
    terminal.await_text("o ours, t theirs")
    terminal.type("s")

    assert terminal.end() == 3, terminal.said
    assert "port = 8080\nworkers = 2\n" in file.read_text()
