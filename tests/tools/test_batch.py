"""Questions in one request leave nothing anywhere, also where there is no place to work in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from changeover.hosts.command import command
from changeover.tools.batch import batch, parse_batch

ASKED = {"said": command("echo", "yes")}


def answered(path: str) -> str:
    asked = batch(ASKED)
    done = subprocess.run(
        asked.words, input=asked.stdin, capture_output=True, check=False,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    return done.stdout.decode()


def test_a_question_is_answered() -> None:
    found = parse_batch(ASKED, answered(os.environ["PATH"]))

    assert (found["said"].code, found["said"].stdout) == (0, "yes\n")


def test_nothing_is_asked_nor_written_where_no_folder_can_be_made(tmp_path: Path) -> None:
    broken = tmp_path / "mktemp"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    found = parse_batch(ASKED, answered(f"{tmp_path}:{os.environ['PATH']}"))

    assert found["said"].code == 124
    assert not Path("/0.out").exists()
