"""What a merge found: conflicts, notes, and the answers that settle conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.errors import InvalidInput
from changeover.merge.tree import Key


class Unreadable(InvalidInput):
    """A text cannot be read in its format: says where, what and why."""

    def __init__(self, what: str, line: int | None = None, column: int | None = None) -> None:
        place = "" if line is None else f"line {line}"
        if line is not None and column is not None:
            place += f", column {column}"
        super().__init__(f"{place}: {what}" if place else what,
                         "mend the file, or name its format with --format")  # fmt: skip
        self.what, self.line, self.column = what, line, column


@dataclass(frozen=True)
class Side:
    """One of the three texts of a conflict, with the line it stands on (1 is the first)."""

    text: str
    line: int | None = None


@dataclass(frozen=True)
class Conflict:
    """Two changes that cannot both be kept; the merged file holds the local one.

    `kind` is one of changed, deleted-here, deleted-there, added, shape, order, emptied, required,
    text, unmergeable; where files change shape, homeless, doubled or unsaid.
    """

    path: str
    kind: str
    base: Side | None = None
    ours: Side | None = None
    theirs: Side | None = None
    reason: str = ""
    note: str = ""
    """What the vendor says about this setting, or about what holds it."""


@dataclass(frozen=True)
class Note:
    """Something worth knowing that stops nobody."""

    path: str
    text: str


@dataclass(frozen=True)
class Merged:
    """The outcome of a merge: the text, what is in conflict, what is worth knowing."""

    text: bytes
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Note, ...] = ()
    format: str = "text"
    marked: bytes = b""
    """The same text with conflict markers, where there are conflicts."""

    @property
    def clean(self) -> bool:
        """Return whether nothing is left to decide."""
        return not self.conflicts


@dataclass(frozen=True)
class Answer:
    """How a conflict is settled: `ours`, `theirs`, or a value given as text."""

    choice: str
    value: str = ""


def parse_answer(text: str) -> Answer:
    """Read `ours`, `theirs` or a literal value."""
    return Answer(text) if text in ("ours", "theirs") else Answer("value", text)


@dataclass(frozen=True)
class Told:
    """What the release and the operator say about a merge."""

    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields that name the elements of a list, by the list's path or its last word."""
    renamed: Mapping[Key, Key] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()
    """Paths of lists whose order means something, besides those the format knows."""
    marker_size: int = 7
    remarks: Mapping[Key, str] = field(default_factory=dict)
    """What the vendor says about settings."""

    def remark(self, path: Key) -> str:
        """Return what is said about a setting, or else about the nearest thing that holds it."""
        sizes = range(len(path), 0, -1)
        return next((self.remarks[path[:n]] for n in sizes if path[:n] in self.remarks), "")

    def fields(self, path: Key) -> tuple[str, ...]:
        """Return the fields that name the elements of the list at a path."""
        shown = shown_path(path)
        last = path[-1] if path else ""
        return tuple(self.identity.get(shown) or self.identity.get(last) or ())


def shown_path(path: Key) -> str:
    """Write a path with dots; words that hold a dot or a quote are quoted."""
    return ".".join(map(_shown_word, path)) or "(file)"


def _shown_word(word: str) -> str:
    if word and "." not in word and '"' not in word:
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_path(text: str) -> Key:
    """Read what `shown_path` wrote."""
    words, word, quoted, escaped = [], "", False, False
    for sign in text:
        if escaped:
            word, escaped = word + sign, False
        elif sign == "\\" and quoted:
            escaped = True
        elif sign == '"':
            quoted = not quoted
        elif sign == "." and not quoted:
            words.append(word)
            word = ""
        else:
            word += sign
    return (*words, word)
