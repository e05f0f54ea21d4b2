"""What a folder's git history knows: every version of every file that was ever committed there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import NotReady

LARGEST = 1024 * 1024
"""Bytes of a version that is looked at; larger ones hold no settings."""


@dataclass(frozen=True)
class Version:
    """One content that was committed once."""

    blob: str
    paths: tuple[str, ...]
    """What it was called, relative to the top of the repository."""
    content: bytes


def git(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, asking nothing; raises `NotReady` where there is no git."""
    # Nothing is fetched that is missing, and no configuration of a stranger's repository is run.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words],
            input=given, capture_output=True, check=False, env=environment,
        )  # fmt: skip
    except OSError as error:
        raise NotReady(f"git: {error.strerror}", "install git") from None


def in_git(folder: Path) -> bool:
    """Say whether a folder is in a repository."""
    return git(folder, "rev-parse", "--git-dir").returncode == 0


def is_ignored(path: Path) -> bool:
    """Say whether git leaves a file alone."""
    return git(path.parent, "check-ignore", "-q", "--", path.name).returncode == 0


def versions(folder: Path, besides: Sequence[Path] = ()) -> Iterator[Version]:
    """Yield every content ever committed below a folder, or as one of `besides`, once."""
    top = Path(os.fsdecode(git(folder, "rev-parse", "--show-toplevel").stdout).rstrip("\n"))
    inside = [p for p in (path.resolve() for path in besides) if p.is_relative_to(top.resolve())]
    named: dict[str, list[str]] = {}
    # Merges and all parents: an addition in a merge is an addition.
    listed = git(folder, "log", "--all", "--reflog", "--format=", "--raw", "-z", "--no-abbrev",
                 "--no-renames", "-m", "--root", "--", ".", *map(str, inside))  # fmt: skip
    if listed.returncode:
        said = listed.stderr.decode("utf-8", "replace").strip()
        raise NotReady(f"{folder}: its history cannot be read: {said}", "see: git log")
    words = listed.stdout.split(b"\0")
    for change, path in zip(words[::2], words[1::2], strict=False):
        fields = change.lstrip(b"\n:").split()
        blob = fields[3].decode() if len(fields) > 3 else ""
        name = os.fsdecode(path)
        if blob.strip("0") and name not in named.setdefault(blob, []):
            named[blob].append(name)
    yield from _contents(folder, named)


def first_commit(folder: Path, blob: str) -> str:
    """Name the commit a content came with: `abc1234 (2023-07-27, Ada)`."""
    told = git(folder, "log", "--all", "--reflog", "--reverse", f"--find-object={blob}",
               "--format=%h (%cs, %an)")  # fmt: skip
    return told.stdout.decode("utf-8", "replace").partition("\n")[0]


def _contents(folder: Path, named: dict[str, list[str]]) -> Iterator[Version]:
    asked = "".join(f"{blob}\n" for blob in named).encode()
    sizes = git(folder, "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)",
                given=asked).stdout.decode().splitlines()  # fmt: skip
    wanted = [w[0] for w in map(str.split, sizes)
              if len(w) == 3 and w[1] == "blob" and int(w[2]) <= LARGEST]  # fmt: skip
    given = "".join(f"{blob}\n" for blob in wanted).encode()
    output = git(folder, "cat-file", "--batch", given=given).stdout
    at = 0
    for blob in wanted:
        header, _, _ = output[at : at + 200].partition(b"\n")
        start = at + len(header) + 1
        end = start + int(header.split()[2])
        yield Version(blob, tuple(named[blob]), output[start:end])
        at = end + 1
