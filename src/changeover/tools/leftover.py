"""Files that package managers leave beside others: where they are, and their texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from changeover.hosts.command import Command, shell
from changeover.tools.texts import LARGEST

_LIST = """
top=$1; shift
[ -d "$top" ] || { echo "no such folder" >&2; exit 1; }
for suffix; do
    find "$top" -xdev -type f -name "*$suffix" -print 2>/dev/null || :
done | LC_ALL=C sort | while IFS= read -r f; do
    printf '%s\\n' "$f"
    plain=${f%.*}
    [ ! -f "$plain" ] || printf '%s\\n' "$plain"
done
"""
_BESIDE = """
path=$1; shift
for suffix; do
    f=$path$suffix
    [ ! -f "$f" ] || [ "$(du -k -- "$f" | cut -f 1)" -gt LARGEST ] ||
        printf '%s %s\\n' "$(base64 -w 0 -- "$f")" "$suffix"
done
""".replace("LARGEST", str(LARGEST))


def leftovers(folder: str, suffixes: Iterable[str]) -> Command:
    """List files with one of these endings, each followed by the file it belongs to, if any."""
    return replace(shell(_LIST, folder, *suffixes), label=f"find leftovers in {folder}")


def beside(path: str, suffixes: Iterable[str]) -> Command:
    """Ask for the texts of what lies beside a file; named by their endings."""
    return replace(shell(_BESIDE, path, *suffixes), label=f"leftovers of {path}")
