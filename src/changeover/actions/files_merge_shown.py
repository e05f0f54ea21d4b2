"""What a merge changes, for people: a diff, and its settings in a few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from changeover.actions.diffs import unified
from changeover.merge.settings import Setting
from changeover.merge.verdict import Unreadable

Hide = Callable[[bytes], bytes]
"""Returns a file with its secrets masked."""

Compare = Callable[[bytes | None, bytes, bytes], Sequence[Setting]]
"""Returns the settings that are not the same in base, ours and theirs."""

MOST_NAMED = 6
"""Settings named in one line of a summary."""


def diff_of(path: str, old: bytes | None, new: bytes, hide: Hide) -> str:
    """Return a unified diff of two contents, both masked; secrets that changed are told."""
    if old == new:
        return ""
    before, after = None if old is None else hide(old), hide(new)
    if before == after:
        return f"{path}: a secret changes, nothing else\n"
    return unified(path, before, after)


def told(compare: Compare, base: bytes | None, ours: bytes, merged: bytes, theirs: bytes) -> str:
    """Say in a few words what a merge does, setting by setting."""
    try:
        arriving = compare(ours, ours, merged)
        kept = compare(theirs, merged, theirs) if base else ()
    except Unreadable:
        return ""
    words = [_named("from the new reference", arriving), _named("kept from here", kept)]
    return "; ".join(filter(None, words))


def _named(what: str, settings: Sequence[Setting]) -> str:
    if not settings:
        return ""
    names = [one.path for one in settings[:MOST_NAMED]]
    more = f" and {len(settings) - MOST_NAMED} more" if len(settings) > MOST_NAMED else ""
    return f"{what}: {', '.join(names)}{more}"
