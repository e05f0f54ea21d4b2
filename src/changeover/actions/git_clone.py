"""An operator's clone, and the branch that other branches are gathered on: what is known of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from changeover.errors import ActionFailed, InvalidRelease
from changeover.hosts.command import Command, Completed
from changeover.hosts.host import Host
from changeover.tools import git_gathered as asked
from changeover.tools.git_gathered import Addition

_BRANCH = re.compile(r"(?!-)[^\s~^:?*\[\\\x00-\x1f]+")


def demand_branch(use: str, **names: str) -> None:
    """Raise `InvalidRelease` for what git would not take as the name of a branch or remote."""
    for parameter, name in names.items():
        if name and (not _BRANCH.fullmatch(name) or ".." in name or name.endswith(("/", ".lock"))):
            raise InvalidRelease(f"{use}: {parameter}: {name!r} is no branch", "Write its name.")


TOLD = 4
"""Lines of the other side that are shown where it refuses a push."""


@dataclass
class Clone:
    """The clone a folder is in, seen from the host it is on."""

    host: Host
    folder: str
    remote: str

    @cached_property
    def top(self) -> str:
        """Where the clone is."""
        done = self.ask(Command(("git", "-C", self.folder or ".", "rev-parse", "--show-toplevel")))
        if not done.ok:
            raise ActionFailed(
                f"{self.folder or 'the current folder'}: is in no clone of the repository",
                "Go into your clone and type it there, or name it: --clone=FOLDER.",
            )
        return done.stdout.strip()

    def ask(self, command: Command) -> Completed:
        """Run a command that may fail."""
        return self.host.ask(command)

    def said(self, command: Command, what: str, remedy: str) -> str:
        """Run a command that must succeed; raise `ActionFailed` with git's last line."""
        done = self.ask(command)
        if not done.ok:
            why = done.stderr.strip().rpartition("\n")[2] or f"git exited {done.code}"
            raise ActionFailed(f"{what}: {why}", remedy)
        return done.stdout

    def git(self, *words: str) -> Completed:
        """Run git in the clone."""
        return self.ask(Command(("git", "-C", self.top, *words)))

    def commit(self, name: str) -> str:
        """Return the commit a name stands for; empty where there is none."""
        done = self.git("rev-parse", "-q", "--verify", f"{name}^{{commit}}")
        return done.stdout.strip() if done.ok else ""

    def local(self, branch: str) -> str:
        """Return where a branch is here; empty where there is none."""
        return self.commit(f"refs/heads/{branch}")

    @cached_property
    def current(self) -> str:
        """The branch that is checked out; empty where none is."""
        done = self.git("symbolic-ref", "-q", "--short", "HEAD")
        return done.stdout.strip() if done.ok else ""

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Say whether one commit is in the history of another, or is it."""
        return self.git("merge-base", "--is-ancestor", older, newer).ok

    def pushed(self, *branches: str) -> dict[str, str]:
        """Ask the remote where branches are, and bring what they have; empty: not there."""
        remedy = "Check the network and your access: git ls-remote " + self.remote
        output = self.said(
            asked.remote_heads(self.top, self.remote, branches),
            f"{self.remote}: cannot be asked", remedy,
        )  # fmt: skip
        rows = (line.split("\t", 1) for line in output.splitlines() if "\t" in line)
        heads = {name.removeprefix("refs/heads/"): commit for commit, name in rows}
        there = [branch for branch in branches if branch in heads]
        if any(self.commit(heads[b]) != heads[b] for b in there):
            fetch = asked.fetch_heads(self.top, self.remote, there)
            self.said(fetch, f"{self.remote}: cannot be fetched", remedy)
        return {branch: heads.get(branch, "") for branch in branches}

    def additions(self, base: str, tip: str) -> list[Addition]:
        """Return what was added to a branch since it left its base, the newest first."""
        command = asked.log_additions(self.top, base, tip)
        return list(asked.parse_additions(self.said(command, tip, "See that git log works there.")))

    def commits(self, wanted: str, *without: str) -> list[tuple[str, str, str]]:
        """Return `hash, author, subject` of the commits of one that others lack."""
        command = asked.log_commits(self.top, wanted, *without)
        return asked.parse_commits(self.said(command, wanted, "See that git log works there."))

    def patches(self, wanted: str, *without: str) -> dict[str, str]:
        """Return what each commit changes -> the commit."""
        done = self.ask(asked.patch_ids(self.top, wanted, *without))
        return asked.parse_patch_ids(done.stdout)

    def refuse_checked_out(self, branch: str) -> None:
        """Raise `ActionFailed` where a branch is checked out: its files would go another way."""
        output = self.ask(asked.checked_out(self.top)).stdout
        place = asked.parse_checked_out(output).get(f"refs/heads/{branch}")
        if place:
            raise ActionFailed(
                f"{place}: has {branch} checked out, and no working tree is touched here",
                "Switch to another branch there: git switch -",
            )

    def point(self, branch: str, commit: str, before: str) -> None:
        """Point a branch of the clone at a commit (empty: nowhere), if it is where it was."""
        ref = f"refs/heads/{branch}"
        if self.local(branch) == commit:
            return
        self.keep(before)
        words = ("update-ref", ref, commit, before) if commit else ("update-ref", "-d", ref, before)
        # A branch that did not exist must not have come about since.
        words = words if before or not commit else ("update-ref", ref, commit, "0" * len(commit))
        done = self.git(*words)
        if not done.ok:
            raise ActionFailed(
                f"{branch}: moved in the meantime: {done.stderr.strip()}", "Run it again."
            )

    def keep(self, commit: str) -> None:
        """Keep a commit that may lose its branch from being cleaned away."""
        if commit:
            self.git("update-ref", f"{asked.KEPT}/kept/{commit[:12]}", commit)

    def push(self, commit: str, branch: str, seen: str) -> None:
        """Push a commit as a branch that must be where it was seen (empty: nowhere)."""
        if commit:
            done = self.ask(asked.push(self.top, self.remote, commit, branch, seen))
        else:
            done = self.ask(asked.delete_pushed(self.top, self.remote, branch, seen))
        if done.ok:
            return
        now = self.pushed(branch)[branch]
        if now == commit:
            return
        why = _refusal(done.stderr) or f"git exited {done.code}"
        if now != seen:
            raise ActionFailed(
                f"{self.remote}/{branch}: {self.by(now, seen)} pushed in the meantime",
                "Nothing of theirs was overwritten: run it again, it then builds on theirs.",
            )
        raise ActionFailed(f"{self.remote}: refused the push of {branch}: {why}",
                           "May you push there? Its rules for branches may forbid it.")  # fmt: skip

    def by(self, now: str, seen: str) -> str:
        """Name who moved a branch."""
        authors: Sequence[str] = ()
        if now:
            reach = [f"{now}", "--not", seen] if seen and self.commit(seen) else ["-1", now]
            authors = self.git("log", "--format=%cn", *reach, "--").stdout.splitlines()
        return ", ".join(dict.fromkeys(authors)) or "somebody"


def _refusal(told: str) -> str:
    """Return what the other side said of a push; else the last thing git says."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    theirs = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    marked = [line for line in lines if line.startswith("! ")]
    return "; ".join([*filter(None, theirs[:TOLD]), *marked]) or "".join(lines[-1:])
