"""Questions to a clone about a branch that others are gathered on, and what the answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from changeover.hosts.command import Command, shell

KEPT = "refs/changeover"
"""Where commits that no branch may name any more are kept in the operator's clone."""

_RECORD, _FIELD = "\x1e", "\x1f"
_FORMAT = (
    "%x1e%H%x1f%P%x1f%an%x1f%cs%x1f%s%x1f%(trailers:key=Added-Branch,valueonly,separator=%x2C)"
    "%x1f%(trailers:key=Added-Commit,valueonly,separator=%x2C)"
)

# A worktree of its own: the operator's is never touched. No hook of the repository runs in it, and
# what a killed run left is cleared first.
_MERGE = """
clone=$1 place=$2 start=$3 commit=$4 ref=$5 before=$6 message=$7
quiet() { git -C "$clone" "$@" >/dev/null 2>&1 || :; }
clear_away() { quiet worktree remove --force "$place"; rm -rf -- "$place"; quiet worktree prune; }
clear_away
mkdir -p -- "${place%/*}"
git -C "$clone" -c core.hooksPath=/dev/null worktree add -q --detach "$place" "$start"
code=0
git -C "$place" -c core.hooksPath=/dev/null -c commit.gpgsign=false \
    merge -q --no-ff --no-edit -m "$message" "$commit" || code=$?
if [ "$code" = 0 ]; then
    git -C "$clone" update-ref -m "$message" "$ref" "$(git -C "$place" rev-parse HEAD)" "$before"
else
    git -C "$place" diff --name-only --diff-filter=U -z | tr '\\0' '\\n' >&3
fi
clear_away
exit "$code"
"""


@dataclass(frozen=True)
class Addition:
    """A commit on the gathering branch's own line: a merge of another branch, or a stray commit."""

    commit: str
    added: str
    """The commit that was added; itself where nothing was merged."""
    branch: str
    """What the branch was called, where that was recorded."""
    author: str
    date: str
    subject: str

    @property
    def recorded(self) -> bool:
        """Whether its trailers say what was added."""
        return bool(self.branch)

    def __str__(self) -> str:
        return f"{self.branch or self.subject} ({self.added[:10]}, {self.author}, {self.date})"


def log_additions(clone: str, base: str, tip: str) -> Command:
    """List what was added to a branch since it left its base, the newest first."""
    words = ("log", "--first-parent", f"--format={_FORMAT}", f"{base}..{tip}", "--")
    return _git(clone, *words)


def parse_additions(output: str) -> Iterator[Addition]:
    """Read what `log_additions` printed."""
    for record in output.split(_RECORD)[1:]:
        commit, parents, author, date, subject, branch, added = record.rstrip("\n").split(_FIELD)
        merged = parents.split()[1:]
        yield Addition(commit, added or (merged[0] if merged else commit),
                       branch, author, date, subject)  # fmt: skip


def log_commits(clone: str, wanted: str, *without: str) -> Command:
    """List the commits of one that others lack, without merges: `hash author subject`."""
    words = ("log", "--no-merges", "--format=%H%x1f%an%x1f%s", wanted, "--not", *without, "--")
    return _git(clone, *words)


def parse_commits(output: str) -> list[tuple[str, str, str]]:
    """Read `hash, author, subject` of each commit."""
    rows = (line.split(_FIELD) for line in output.splitlines())
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]


def patch_ids(clone: str, wanted: str, *without: str) -> Command:
    """Name each commit by what it changes: a rewritten one keeps that name."""
    script = 'c=$1; shift; git -C "$c" log -p --no-merges --full-index "$@" | git patch-id --stable'
    return shell(script, clone, wanted, "--not", *without, "--")


def parse_patch_ids(output: str) -> dict[str, str]:
    """Return what a commit changes -> the commit."""
    return {words[0]: words[1] for words in map(str.split, output.splitlines()) if len(words) == 2}


def remote_heads(clone: str, remote: str, branches: Sequence[str]) -> Command:
    """Ask a remote where its branches are."""
    refs = [f"refs/heads/{branch}" for branch in branches]
    return _git(clone, "ls-remote", "--", remote, *refs)


def fetch_heads(clone: str, remote: str, branches: Sequence[str]) -> Command:
    """Bring branches of a remote under names of ours; no branch of the operator's moves."""
    refs = [f"+refs/heads/{b}:{KEPT}/seen/{remote}/{b}" for b in branches]
    quiet = ("-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
    return _git(clone, "fetch", *quiet, "--", remote, *refs)


def foresee_merge(clone: str, start: str, commit: str) -> Command:
    """Merge in thought: exit code 0 where it goes, 1 with the files in conflict where not."""
    return _git(clone, "merge-tree", "--write-tree", "--name-only", "--no-messages", start, commit)


def merge_aside(
    clone: str, place: str, points: tuple[str, str], ref: tuple[str, str], message: str
) -> Command:
    """Merge in a worktree of its own and point a branch at the outcome.

    `points` are where to begin and what to add; `ref` is the branch and where it must be until
    then. Files in conflict are printed.
    """
    script = f"exec 3>&1 >/dev/null{_MERGE}"
    return shell(script, clone, place, *points, *ref, message)


def push(clone: str, remote: str, commit: str, branch: str, seen: str) -> Command:
    """Push a commit as a branch, if that is where it was seen; empty: if it is not there."""
    ref = f"refs/heads/{branch}"
    lease = f"--force-with-lease={ref}:{seen}"
    return _git(clone, "push", "-q", "--no-follow-tags", lease, "--", remote, f"{commit}:{ref}")


def delete_pushed(clone: str, remote: str, branch: str, seen: str) -> Command:
    """Delete a branch of a remote, if it is where it was seen."""
    ref = f"refs/heads/{branch}"
    return _git(clone, "push", "-q", f"--force-with-lease={ref}:{seen}", "--", remote, f":{ref}")


def checked_out(clone: str) -> Command:
    """List the worktrees of a clone with their branches."""
    return _git(clone, "worktree", "list", "--porcelain")


def parse_checked_out(output: str) -> dict[str, str]:
    """Return branch -> folder for what is checked out somewhere."""
    found = {}
    for block in output.split("\n\n"):
        lines = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "branch" in lines:
            found[lines["branch"]] = lines["worktree"]
    return found


def typed_push(remote: str, branch: str, seen: str) -> str:
    """Return the push as somebody would type it."""
    lease = f"--force-with-lease={branch}:{seen[:12]}" if seen else ""
    return re.sub(" +", " ", f"git push {lease} {remote} {branch}")


def _git(clone: str, *words: str) -> Command:
    env = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8"}
    return Command(("git", "-C", clone, *words), env=env)
