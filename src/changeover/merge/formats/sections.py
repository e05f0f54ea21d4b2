"""Files of sections: what base, ours and theirs have in common is read once.

A text is cut at its headers. A section is read by itself; where it cannot be, because what looked
like a header stands in a text or a list, the file is read as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from changeover.merge.formats.base import Read
from changeover.merge.formats.linewise import Header, add_repeated, sectioned
from changeover.merge.tree import Block, Item, Value, copied
from changeover.merge.verdict import Unreadable

Part = Item | Header


class Sections:
    """Reads texts that have most of their sections in common."""

    def __init__(
        self,
        header: re.Pattern[str],
        parts_for: Callable[[str], Callable[[str], Iterable[Part]]],
        finished: Callable[[list[Part], str], tuple[Block, Value]],
        whole: Read,
    ) -> None:
        self.header, self.parts_for, self.finished, self.whole = header, parts_for, finished, whole
        self.known: dict[tuple[object, str], list[Part]] = {}

    def read(self, text: str) -> tuple[Block, Value]:
        """Read one text; raises `Unreadable`."""
        found: list[Part] = []
        parts = self.parts_for(text)
        try:
            for piece in self._cut(text):
                known = self.known.get((parts, piece))
                if known is None:
                    found += self.known.setdefault((parts, piece), list(parts(piece)))
                else:
                    found += [copied(p) if isinstance(p, Item) else p for p in known]
        except Unreadable:
            # The whole file tells where.
            return self.whole(text)
        return self.finished(found, text)

    def _cut(self, text: str) -> Iterable[str]:
        place = 0
        for found in self.header.finditer(text):
            start = found.start()
            # Behind a backslash, it is the rest of a value.
            if start > place and not text[place:start].rstrip(" \t\n").endswith("\\"):
                yield text[place:start]
                place = start
        yield text[place:]


def meaning_of(parts: Iterable[Part]) -> Value:
    """Return `{section: {setting: value}}`; settings that are repeated become lists."""
    result: dict[str, Value] = {}
    section = result
    for part in parts:
        if isinstance(part, Header) and part.group is not None:
            section = {}
            add_repeated(result, part.group, section)
        elif isinstance(part, Header):
            made = result.setdefault(part.key[0], {})
            section = made if isinstance(made, dict) else {}
        elif part.value is not None and part.group is not None:
            known = section.get(part.group)
            if known is None:
                section[part.group] = part.plain
            elif isinstance(known, list):
                known.append(part.plain)
            else:
                section[part.group] = [known, part.plain]
    return result


def in_sections(parts: list[Part], text: str) -> tuple[Block, Value]:
    """Return the tree and the meaning of parts."""
    value = meaning_of(parts)
    return sectioned(parts), value
