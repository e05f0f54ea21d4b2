"""Questions to ucf's own records: what it delivered last, and the digests of what it delivered."""

from __future__ import annotations

from dataclasses import dataclass, replace

from changeover.hosts.command import Command, shell
from changeover.tools.texts import parse_texts

_ASK = """
cd /var/lib/ucf 2>/dev/null || exit 0
cache=cache/$(printf %s "$1" | tr / :)
[ ! -f "$cache" ] || printf '%s cache\\n' "$(base64 -w 0 -- "$cache")"
awk -v path="$1" '$2 == path { print "owner", $1 }' registry 2>/dev/null || :
for f in hashfile hashfile.?; do
    [ ! -f "$f" ] || awk -v path="$1" '$2 == path { print "md5", $1 }' "$f"
done
"""


@dataclass(frozen=True)
class Kept:
    """What ucf knows of a file."""

    cache: bytes | None = None
    """The reference it delivered last, whether it was taken or not."""
    owner: str = ""
    digests: tuple[str, ...] = ()
    """MD5 of what it delivered, the newest first."""


def kept(path: str) -> Command:
    """Ask for the cached text, the package and the digests of a file."""
    return replace(shell(_ASK, path), label=f"ucf: {path}")


def parse_kept(output: str) -> Kept:
    """Return what ucf knows."""
    rows = [line.split() for line in output.splitlines()]
    digests = dict.fromkeys(row[1] for row in rows if row[0] == "md5" and len(row) == 2)
    owners = [row[1] for row in rows if row[0] == "owner" and len(row) == 2]
    caches = [text for name, text in parse_texts(output) if name == "cache"]
    return Kept(caches[0] if caches else None, owners[0] if owners else "", tuple(digests))
