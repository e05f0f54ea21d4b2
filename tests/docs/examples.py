"""Run the examples of a page: files are written, commands typed, and what they say compared.

A block whose first line is "yaml file=PATH" is a file. One of kind "console" holds commands after
`$ ` (a line that ends in a backslash goes on) and below each what must be printed: `…` stands for
anything, and lines may be left out. `Question [default]: answer` is a question and what is typed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUESTION = re.compile(r"(\S.* \[[^\]]*\]:)(.*)")
LIMIT = 300


@dataclass
class Shell:
    """A terminal in a folder: `cd` and `export` are kept from one command to the next."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def type(self, command: str, answers: str = "") -> str:
        """Run a command line; return all it printed; fail where it fails."""
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ").strip()
            return ""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**os.environ, **self.environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
            input=answers, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"$ {command}\nexited {done.returncode}:\n{done.stdout}"
        return done.stdout


def run_page(page: Path, shell: Shell) -> None:
    """Do everything a page tells, in its order."""
    root = shell.folder
    for kind, file, body in BLOCK.findall(page.read_text()):
        if file:
            target = root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body)
        elif kind == "console":
            for command, expected in typed(body):
                asked = [(line, QUESTION.fullmatch(line)) for line in expected]
                answers = "".join(f"{found[2].strip()}\n" for _, found in asked if found)
                shown = [found[1] if found else line for line, found in asked]
                assert_printed(shell.type(command, answers), shown, command)


def typed(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block with the lines that must be printed."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *lines = part.replace("\\\n", "").rstrip("\n").split("\n")
        yield command, [line for line in lines if line.strip()]


def assert_printed(printed: str, expected: list[str], command: str) -> None:
    """Find the expected lines, in order."""
    rest = " ".join(printed.split())
    for line in expected:
        for piece in (" ".join(piece.split()) for piece in line.split("…")):
            _, there, rest = rest.partition(piece) if piece else ("", "…", rest)
            told = f"$ {command}\nwanted:\n{expected}\nprinted:\n{printed}"
            assert there, f"not there: {piece!r}, behind what was found before it\n{told}"
