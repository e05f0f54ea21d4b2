"""The commit that takes an environment's folder out of git, on a branch to be reviewed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from changeover.errors import NotReady


def leave_commit(folder: Path, name: str, lines: Sequence[str]) -> str:
    """Commit the removal of a folder on `dismantle-NAME`; return the branch, or why there is none.

    Done in a worktree of its own: what is checked out, and what is in the folder, stays.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top or not _git(folder, "ls-files", "--", "."):
        return ""
    inside = str(folder.resolve().relative_to(Path(top).resolve()))
    branch = f"dismantle-{name}"
    if _git(Path(top), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"):
        raise NotReady(f"{top}: has a branch {branch} already", f"git branch -D {branch}")
    message = "\n".join([f"Dismantle {name}", "", *lines, ""])
    with tempfile.TemporaryDirectory(prefix="changeover-") as place:
        aside = Path(place) / "tree"
        _must(Path(top), "worktree", "add", "-q", "-b", branch, str(aside))
        try:
            _must(aside, "rm", "-r", "-q", "--", inside)
            _must(aside, "-c", "commit.gpgsign=false", "commit", "-q", "--no-verify", "-m", message)
        finally:
            _git(Path(top), "worktree", "remove", "--force", str(aside))
    return branch


def mentions(folder: Path, words: Sequence[str]) -> list[str]:
    """Return the files outside the folder that mention one of the words, such as documentation."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if not top or not words:
        return []
    asked = [part for word in words for part in ("-e", word)]
    inside = folder.resolve().relative_to(Path(top).resolve())
    found = _git(Path(top), "grep", "-lF", *asked, "--", ".", f":(exclude){inside}")
    return found.splitlines()


def _must(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", "-C", str(folder), "-c", "core.hooksPath=/dev/null", *words],
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        raise NotReady(f"{folder}: git {words[0]}: {why}", "remove the folder from git yourself")


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
