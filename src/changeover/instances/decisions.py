"""How conflicts of configuration files were settled: remembered in `answers.yaml`, kept in git.

What stands there are keyed digests of the three texts and what was decided (ADR 0520); the key is
in `answers.key` beside it, and stays out of git.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.folder import ANSWERS, DECISIONS, answers_of, write_answers

KEY = "answers.key"

Decisions = dict[str, dict[str, dict[str, Any]]]
"""File -> path of a setting -> what is remembered of its answer."""


def load_decisions(folder: Path) -> Decisions:
    """Return what was decided for the files of an instance; raise `InvalidInstance`."""
    found = answers_of(folder).get(DECISIONS) or {}
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise InvalidInstance(
            f"{folder / ANSWERS}: {DECISIONS}: has to be a map of files to answers",
            "correct it, or remove the entry: the conflicts are asked again",
        )
    return {str(file): dict(entries) for file, entries in found.items()}


def keep_decisions(folder: Path, fresh: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Add decisions to those that are remembered; newer ones replace older ones."""
    known = load_decisions(folder)
    merged = {f: {**known.get(f, {}), **fresh.get(f, {})} for f in sorted({*known, *fresh})}
    if merged != known:
        write_answers(folder, {**answers_of(folder), DECISIONS: merged})


def decision_key(folder: Path) -> bytes:
    """Return the key of the digests; it is made when it is first asked for."""
    path = folder / KEY
    try:
        if not path.exists():
            # Hosts are asked at once, commands may be too: whoever links first has made the key.
            with NamedTemporaryFile("w", dir=folder, prefix=f".{KEY}.") as fresh:
                fresh.write(os.urandom(32).hex() + "\n")
                fresh.flush()
                with contextlib.suppress(FileExistsError):
                    os.link(fresh.name, path)
                    _ignore(folder)
        return path.read_bytes().strip()
    except OSError as error:
        said = f"{path}: cannot be made: {error.strerror}"
        raise InvalidInstance(said, "make the instance's folder writable") from error


def _ignore(folder: Path) -> None:
    """Keep the key out of git."""
    path = folder / ".gitignore"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if KEY not in text.splitlines():
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{KEY}\n" if text.endswith("\n") or not text else f"\n{KEY}\n")
