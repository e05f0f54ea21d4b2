"""The history of one file in git, as etckeeper keeps one of /etc."""

from __future__ import annotations

from dataclasses import dataclass, replace

from changeover.hosts.command import Command, shell

MOST = 500
"""Commits that are looked at."""

# Only plumbing: it reads objects and runs nothing that a repository's configuration names.
_LIST = """
cd -- "${1%/*}/" 2>/dev/null || exit 0
command -v git >/dev/null || exit 0
ask() { git -c safe.directory='*' -c core.fsmonitor=false "$@" 2>/dev/null; }
ask rev-parse --git-dir >/dev/null || exit 0
seen=' '
ask rev-list -n MOST HEAD -- "./${1##*/}" | while read -r commit; do
    blob=$(ask rev-parse --verify "$commit:./${1##*/}") || continue
    case $seen in *" $blob "*) continue ;; esac
    seen="$seen$blob "
    sum=$(ask cat-file blob "$blob" | md5sum)
    printf '%s %s %s\\n' "$blob" "${sum%% *}" "$(ask rev-list -n 1 --format='%h %cs' "$commit" |
        tail -n 1)"
done
""".replace("MOST", str(MOST))
_READ = """
cd -- "${1%/*}/"
printf '%s blob\\n' "$(git -c safe.directory='*' cat-file blob "$2" | base64 -w 0)"
"""


@dataclass(frozen=True)
class Version:
    """One content a file had: its blob, its MD5, and the latest commit that brought it."""

    blob: str
    digest: str
    commit: str
    date: str


def versions(path: str) -> Command:
    """List the contents a file had, the newest first; nothing where there is no history."""
    return replace(shell(_LIST, path), label=f"git: history of {path}")


def parse_versions(output: str) -> tuple[Version, ...]:
    """Return the contents."""
    rows = (line.split() for line in output.splitlines())
    return tuple(Version(*row) for row in rows if len(row) == 4)


def content(path: str, blob: str) -> Command:
    """Read one content out of the history."""
    return replace(shell(_READ, path, blob), label=f"git: {path} as {blob[:10]}")
