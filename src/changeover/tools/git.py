"""Commands of git and the meaning of their output. Credentials travel on standard input."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from changeover.hosts.command import Command, command, shell
from changeover.tools.tree import PLACE

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
ABBREVIATED = re.compile(r"[0-9a-f]{7,63}")

# The answer to git's question for a name and password comes from what was on standard input.
_PLAIN = """
fetch() { git "$@"; }
"""
_LOGGED_IN = """
told=$(cat)
fetch() {
    printf '%s\\n' "$told" | (
        exec 3<&0 </dev/null
        exec git -c credential.helper= \\
            -c credential.helper='!f() { [ "$1" != get ] || cat <&3; }; f' "$@"
    )
}
"""

_FETCH = """
if [ ! -d "$1" ]; then
    rm -rf -- "$1.partial"; mkdir -p -- "${1%/*}"
    git init -q --bare "$1.partial"; mv -T -- "$1.partial" "$1"
fi
there() { git -C "$1" cat-file -e "$2^{commit}" 2>/dev/null; }
ask() {
    into=$1; shift
    fetch -c gc.autoDetach=false -C "$into" fetch -q --prune --no-write-fetch-head -- "$@"
}
if there "$1" "$3"; then exit 0; fi
ask "$1" "$2" '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*'
there "$1" "$3" || ask "$1" "$2" "$3"
"""

_GROW = """
rm -rf -- "$2.partial"; mkdir -p -- "${2%/*}"
git clone -q --no-checkout "$1" "$2.partial"
git -C "$2.partial" remote set-url origin "$3"
git -C "$2.partial" checkout -q --detach "$4"
if [ -f "$2.partial/.gitmodules" ]; then
    rm -rf -- "$2.partial"
    echo "the commit has submodules, which are not fetched" >&2; exit 3
fi
if [ -n "${5-}" ]; then chown -R --no-dereference -- "$5" "$2.partial"; fi
place "$2"
"""


@dataclass(frozen=True)
class Access:
    """How a repository is reached."""

    key: str = ""
    known_hosts: str = ""
    username: str = ""
    password: str = ""

    def given_to(self, asked: Command) -> Command:
        """Return a git command that may log in and never asks a question."""
        ssh = ["ssh", "-o", "BatchMode=yes"]
        ssh += ["-i", self.key, "-o", "IdentitiesOnly=yes"] if self.key else []
        ssh += ["-o", f"UserKnownHostsFile={self.known_hosts}"] if self.known_hosts else []
        env = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": shlex.join(ssh)}
        stdin = f"username={self.username}\npassword={self.password}\n".encode()
        return replace(asked, env=env, stdin=stdin if self.password else b"")


def ls_remote(repository: str, ref: str, access: Access) -> Command:
    """Ask a repository which commits a name stands for, annotated tags peeled."""
    script = (_LOGGED_IN if access.password else _PLAIN) + 'fetch ls-remote -- "$@"'
    return access.given_to(shell(script, repository, *_spellings(ref)))


def parse_ls_remote(output: str, ref: str) -> dict[str, str]:
    """Return full name -> commit for the names that are the reference, the preferred one first."""
    rows = (line.split("\t", 1) for line in output.splitlines() if "\t" in line)
    found = {name: commit for commit, name in rows}
    return {name: found[name] for name in _spellings(ref) if name in found}


def fetch(mirror: str, repository: str, commit: str, access: Access) -> Command:
    """Bring a commit into a bare mirror, made if there is none; no network if it has it."""
    script = (_LOGGED_IN if access.password else _PLAIN) + _FETCH
    return access.given_to(shell(script, mirror, repository, commit))


def grow(mirror: str, tree: str, repository: str, commit: str, owner: str = "") -> Command:
    """Make a working tree of its own with exactly this commit, beside its place, and move it there.

    What was in its place becomes `TREE.before`.
    """
    given = (owner,) if owner else ()
    return shell(PLACE + _GROW, mirror, tree, repository, commit, *given)


def head(tree: str) -> Command:
    """Ask which commit a working tree has checked out."""
    # Only an identifier is read: who owns the tree does not matter, nothing in it is run.
    return command("git", "-c", "safe.directory=*", "-C", tree, "rev-parse", "--verify", "HEAD")


def resolve(mirror: str, ref: str) -> Command:
    """Ask a mirror for the commit an abbreviation stands for."""
    return command("git", "-C", mirror, "rev-parse", "--verify", f"{ref}^{{commit}}")


def edited(tree: str) -> Command:
    """List files of a working tree that differ from its commit."""
    words = ("status", "--porcelain", "--untracked-files=no")
    return command("git", "-c", "safe.directory=*", "-C", tree, *words)


def content_of(folder: str) -> Command:
    """Ask for the identifier of a folder's content in its commit."""
    return command("git", "-c", "safe.directory=*", "-C", folder, "rev-parse", "HEAD:./")


def has_password(repository: str) -> bool:
    """Say whether an address carries a password."""
    return bool(re.match(r"[a-z+]+://[^/@:]*:[^/@]+@", repository))


def _spellings(ref: str) -> tuple[str, ...]:
    if ref.startswith("refs/"):
        return (f"{ref}^{{}}", ref)
    return (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}", ref)
