"""The commit that takes an environment's folder out of git, on a branch to be reviewed."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from changeover.errors import NotReady


def leave_commit(folder: Path, name: str, lines: Sequence[str]) -> str:
    """Commit the removal of a folder on `dismantle-NAME`; return the branch, empty if not in git.

    Made of git's objects alone, and named last: what is checked out, what is staged and what is in
    the folder stays, and a kill leaves no branch. Raises `NotReady` where git refuses.
    """
    top = _top(folder)
    if top is None or not _git(top, "rev-parse", "-q", "--verify", "HEAD"):
        return ""
    branch = f"dismantle-{name}"
    if _git(top, "rev-parse", "-q", "--verify", f"refs/heads/{branch}"):
        raise NotReady(f"{top}: has a branch {branch} already", f"git branch -D {branch}")
    inside = str(folder.resolve().relative_to(top))
    with tempfile.TemporaryDirectory(prefix="changeover-") as place:
        aside = _Repository(top, {"GIT_INDEX_FILE": f"{place}/index"})
        aside.must("read-tree", "HEAD")
        found = aside.must("ls-files", "-z", "--", f":(literal){inside}")
        if not found:
            return ""
        aside.must("update-index", "-z", "--force-remove", "--stdin", stdin=found)
        tree = aside.must("write-tree").strip()
        message = "\n".join([f"Dismantle {name}", "", *lines, ""])
        commit = aside.must("commit-tree", tree, "-p", "HEAD", "-F", "-", stdin=message)
        aside.must("branch", "--no-track", branch, commit.strip())
    return branch


def mentions(folder: Path, words: Sequence[str]) -> list[str]:
    """Return the files outside the folder that mention one of the words, such as documentation.

    None where git cannot tell: what it says of the commit says why.
    """
    try:
        top = _top(folder)
    except NotReady:
        return []
    if top is None or not words:
        return []
    asked = [part for word in words for part in ("-e", word)]
    inside = folder.resolve().relative_to(top)
    found = _git(top, "grep", "-lF", *asked, "--", ".", f":(exclude,literal){inside}")
    return found.splitlines()


@dataclass(frozen=True)
class _Repository:
    """A repository, worked on without hooks and with an index of our own."""

    top: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def must(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.top), "-c", "core.hooksPath=/dev/null", *words],
            env={**os.environ, **self.environ},
            input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            why = done.stderr.strip().rpartition("\n")[2]
            raise NotReady(
                f"{self.top}: git {words[0]}: {why}", "remove the folder from git yourself"
            )
        return done.stdout


def _top(folder: Path) -> Path | None:
    """Return the top of the repository a folder is in; raises `NotReady` where git refuses it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--show-toplevel"],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except OSError:
        return None
    if done.returncode == 0:
        return Path(done.stdout.rstrip("\n")).resolve()
    if "not a git repository" in done.stderr:
        return None
    why = done.stderr.strip().partition("\n")[0]
    raise NotReady(f"{folder}: git: {why}", "have git read it, or remove the folder yourself")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""
