"""What views say, in the reader's language (ADR 0450).

Everything below the views speaks English: plans, journals and JSON are the same for everybody. A
view asks for a sentence here; one that no phrase fits stays English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_GAP = re.compile(r"\{(\w+)\}")
FEW = len("write ")
"""Characters of its own with which a phrase takes single words alone."""
BOOKS = {"fr": Path(__file__).parent / "french.toml"}
"""Language -> its phrases, in tables of a room each."""


class Phrasebook:
    """English sentences with gaps such as `{host}`, and what stands for them.

    What fills a gap is taken over as it is; where its name begins with `_` it is a phrase itself.
    """

    def __init__(self, phrases: Mapping[str, str]) -> None:
        self._exact = {english: own for english, own in phrases.items() if "{" not in english}
        gapped = [english for english in phrases if "{" in english]
        # What has more words of its own fits better.
        gapped.sort(key=lambda english: -len(_GAP.sub("", english)))
        self._gapped = [(_pattern(english), phrases[english]) for english in gapped]

    def own(self, text: str) -> str | None:
        """Return a sentence of this language; None where there is none."""
        if text in self._exact:
            return self._exact[text]
        for pattern, own in self._gapped:
            found = pattern.fullmatch(text)
            if found:
                return self._filled(own, found.groupdict())
        return None

    def _filled(self, own: str, gaps: Mapping[str, str]) -> str:
        def filling(gap: re.Match[str]) -> str:
            text = gaps[gap[1]]
            return self.own(text) or text if gap[1].startswith("_") else text

        return _GAP.sub(filling, own)


class _Reader:
    """Whoever reads the output of this process: there is one, and one language."""

    book: Phrasebook | None = None


def speak(language: str) -> None:
    """Have views speak a language from now on; one without a book means English."""
    _said.cache_clear()
    file = BOOKS.get(language[:2])
    _Reader.book = Phrasebook(phrases(file)) if file else None


def phrases(file: Path) -> dict[str, str]:
    """Read the phrases of a language."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {english: own for table in tables.values() for english, own in table.items()}


def said(text: str) -> str:
    """Return a text in the reader's language, line by line; blanks around lines stay."""
    return text if _Reader.book is None else "\n".join(map(_said, text.split("\n")))


@lru_cache(maxsize=4096)
def _said(line: str) -> str:
    bare = line.strip()
    own = _Reader.book.own(bare) if _Reader.book and bare else None
    return line if own is None else line.replace(bare, own, 1)


def _pattern(english: str) -> re.Pattern[str]:
    parts = _GAP.split(english)
    # Few words of its own fit too much: `X is Y` would be half of many another sentence.
    few = len("".join(parts[::2])) <= FEW

    def gap(name: str) -> str:
        one = r"\S" if few and not name.startswith("_") else "."
        return f"(?P<{name}>{one}+?)"

    words = (gap(part) if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
    return re.compile("".join(words))
