"""A merge as people may see it: settings and lines, the values of secrets masked."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence

from changeover.actions.diffs import unified
from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.masking import HIDDEN as MASK
from changeover.merge.masking import is_hidden
from changeover.merge.settings import Setting
from changeover.merge.tree import Block, walk
from changeover.merge.verdict import Unreadable, shown_path

Compare = Callable[[bytes | None, bytes, bytes], Sequence[Setting]]
"""Returns the settings that are not the same in base, ours and theirs."""

MOST_NAMED = 6
"""Settings named in one line of a summary."""

_ASSIGNED = re.compile(
    r"""(?P<name>[A-Za-z_][\w.-]*)["']?[ \t]*[:=][ \t]*"""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*'|[^\s,;#]+)"""
)
_URL = re.compile(r"(://[^\s:/@]*:)[^\s@/]+@")


class Veil:
    """Masks the values of secrets: those whose names say so, and those the release names."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)

    def hides(self, path: str) -> bool:
        """Say whether the value at a path is a secret."""
        return is_hidden(path, self._secrets)

    def text(self, path: str, text: str) -> str:
        """Return what stands at a path, masked where it is a secret."""
        return MASK if self.hides(path) else self.lines(text)

    def lines(self, text: str) -> str:
        """Return a text with what is assigned to secret names masked."""
        return _URL.sub(rf"\1{MASK}@", _ASSIGNED.sub(self._assigned, text))

    def whole(self, content: bytes, format: str | None, name: str) -> bytes:
        """Return a file with every secret in it masked."""
        text = decode(content).text
        form = load(format or detect(name, text))
        with contextlib.suppress(Unreadable):  # then by lines alone
            text = self._by_structure(form, text)
        return self.lines(text).encode("utf-8", "surrogateescape")

    def _by_structure(self, form: Format, text: str) -> str:
        tree, _ = form.read(text)
        spans = []
        for path, item, offset in walk(tree):
            value = item.value
            if value is not None and not isinstance(value, Block) and self.hides(shown_path(path)):
                start = offset + len(item.head)
                bare = value.text.strip()
                spans.append((start + value.text.index(bare), len(bare)))
        for start, size in sorted(spans, reverse=True):
            if size:
                text = text[:start] + MASK + text[start + size :]
        return text

    def _assigned(self, found: re.Match[str]) -> str:
        if not self.hides(found["name"]):
            return found[0]
        return found[0][: found.start("value") - found.start()] + MASK


def diff_of(path: str, old: bytes | None, new: bytes, hide: Callable[[bytes], bytes]) -> str:
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
