"""A merge from bytes to bytes: read, merge by structure, check the result, or ask."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace

from changeover.merge.catalogue import candidates, load
from changeover.merge.comments import without_repeats
from changeover.merge.encoding import Source, decode_side, merged_flags
from changeover.merge.formats.base import Format, Read
from changeover.merge.given import with_value
from changeover.merge.lines import merge_lines
from changeover.merge.marking import between_markers, marked_text
from changeover.merge.pieces import Clash
from changeover.merge.renaming import carry
from changeover.merge.replay import replay
from changeover.merge.report import conflicts_of
from changeover.merge.structural import TreeMerge
from changeover.merge.tree import Block, Key, Value
from changeover.merge.values import ValueMerge, first_difference, unwrapped
from changeover.merge.verdict import (
    Answer,
    Conflict,
    Merged,
    Note,
    Told,
    Unreadable,
    parse_answer,
    shown_path,
    split_path,
)

Identity = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Parsed:
    """One of the three texts, read: its tree and what it means."""

    text: str
    tree: Block
    value: Value


@dataclass(frozen=True)
class Attempt:
    """One way to merge: its tree, what it found, and where its meaning is not as it has to be."""

    tree: Block
    clashes: tuple[Clash, ...]
    difference: Key | None
    answered: Set[Key] = frozenset()


def merge(  # noqa: PLR0913 - the one public door; all but three are named
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    format: str | None = None,
    name: str | None = None,
    identity: Identity | None = None,
    renamed: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    answers: Mapping[str, Answer | str] | None = None,
    marker_size: int = 7,
    notes: Mapping[str, str] | None = None,
) -> Merged:
    """Merge an edited file with its new reference; `base` is the reference it was made from.

    `notes` are what the vendor says about settings, by path: a conflict carries its own.
    Raises `Unreadable` where one of the three cannot be read in its format.
    """
    told = told_of(identity, renamed, required, answers)
    said = {split_path(path): note for path, note in (notes or {}).items()}
    told = replace(told, marker_size=marker_size, remarks=said)
    before = decode_side(base, "base") if base else None
    mine, new = decode_side(ours, "ours"), decode_side(theirs, "theirs")
    flags = merged_flags(before, mine, new)
    texts = (before.text if before else None, mine.text, new.text)
    with _no_collections():
        merged = _in_some_format(format, candidates(name, new.text or mine.text), texts, told)
    return replace(
        merged,
        text=_written(merged.text, flags),
        marked=_written(merged.marked, flags) if merged.conflicts else b"",
    )


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the collector of cycles out: trees have none, and looking costs half the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# Formats whose files carry a name that promises them: there an error is an error.
_PROMISED = ("yaml", "compose", "toml", "json")


def _in_some_format(
    named: str | None, likely: Iterable[str], texts: Sequence[str | None], told: Told
) -> Merged:
    """Merge in the format named, or in the likeliest that can read all three; else by lines."""
    refused = ""
    for found in [named] if named else likely:
        try:
            merged = merge_texts(load(found), texts, told)
        except Unreadable as error:
            if named or found in _PROMISED:
                raise
            refused = refused or f"it looked like {found}, but {error.message}"
            continue
        notes = [Note("", f"merged by lines: {refused}")] if refused and found == "text" else []
        return replace(merged, notes=(*merged.notes, *notes))
    raise AssertionError("text reads everything")


def _written(text: bytes, flags: Source) -> bytes:
    return flags.written(text.decode("utf-8", "surrogateescape"))


def told_of(
    identity: Identity | None = None,
    renamed: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    answers: Mapping[str, Answer | str] | None = None,
) -> Told:
    """Gather what is told about a merge."""
    fields = {
        path: (found,) if isinstance(found, str) else tuple(found)
        for path, found in (identity or {}).items()
    }
    moves = {split_path(old): split_path(new) for old, new in (renamed or {}).items()}
    settled = {
        path: parse_answer(answer) if isinstance(answer, str) else answer
        for path, answer in (answers or {}).items()
    }
    return Told(fields, moves, tuple(required), settled)


def parse(read: Read, text: str, which: str) -> Parsed:
    """Read one of the three texts; the error names it."""
    try:
        tree, value = read(text)
    except Unreadable as error:
        raise Unreadable(f"{which}: {error.what}", error.line, error.column) from error
    if tree.text != text:
        raise Unreadable(f"{which}: laid out in a way that cannot be merged by structure")
    return Parsed(text, tree, value)


def merge_texts(
    form: Format, texts: Sequence[str | None], told: Told, *, whole: bool = True
) -> Merged:
    """Merge three texts of one format; `whole` allows the shortcut for unchanged files."""
    old, mine, new = texts
    assert mine is not None and new is not None  # noqa: S101, PT018 - only the base may be absent
    if form.name == "text":
        text, marked, conflicts = merge_lines(old, mine, new, told, told.marker_size)
        return Merged(_bytes(text), tuple(conflicts), (), "text", _bytes(marked))
    if old is not None:
        old, mine = form.restate(old, mine, new)
    read = form.several() if form.several else form.read
    base = parse(read, old, "base") if old is not None else None
    ours = base if base and mine == old else parse(read, mine, "ours")
    theirs = base if base and new == old else parse(read, new, "theirs")
    return _Session(form, told, (base, ours, theirs), whole).run()


class _Session:
    def __init__(
        self,
        form: Format,
        told: Told,
        sides: tuple[Parsed | None, Parsed, Parsed],
        whole: bool,
    ) -> None:
        self.form, self.told, self.whole = form, told, whole
        self.base, self.ours, self.theirs = sides
        self.values = ValueMerge(form.meaning, told)
        self.notes: dict[Key, str] = {}
        self.carried = carry(told.renamed, self.base.tree if self.base else None, self.ours.tree,
                             self.theirs.tree)  # fmt: skip

    def run(self) -> Merged:
        """Try by structure, then by replaying the local edits; else keep the local file and ask."""
        moved = self.carried.value
        before = moved(self.base.value) if self.base else None
        self.expected = self.values.merge(before, moved(self.ours.value), self.theirs.value)
        attempt = self._structural()
        if attempt.difference is not None:
            attempt = self._replayed(attempt)
        return self._merged(attempt)

    def _structural(self) -> Attempt:
        trees = self.carried.trees
        merge = TreeMerge(self.form.meaning, self.told, self.form.value_text, whole=self.whole,
                          carried=self.carried.items)  # fmt: skip
        tree = merge.root(trees[0], trees[1], self.theirs.tree)
        tree = without_repeats(tree, self.ours.tree, self.theirs.tree)
        self.notes.update(merge.notes)
        return Attempt(tree, tuple(merge.clashes), self._difference(tree), merge.answered)

    def _difference(self, tree: Block) -> Key | None:
        """Return where the text of a tree does not mean what it has to."""
        text = tree.text
        try:
            actual = self.form.values(text)
        except Unreadable:
            return ("(the result cannot be read)",)
        for side in (self.ours, self.theirs):
            # A whole text of theirs or ours means what it was read as.
            actual = side.value if text == side.text else actual
        expected: Value | None = self.expected
        if self.form.meaning.repeats:
            expected, actual = unwrapped(expected), unwrapped(actual) or {}
        return first_difference(expected, actual, skip=frozenset(self.values.given))

    def _refuse_invalid(self) -> None:
        """Say which text its parser refuses, where the result was refused."""
        for which, side in (("base", self.base), ("ours", self.ours), ("theirs", self.theirs)):
            try:
                self.form.values(side.text if side else "")
            except Unreadable as error:
                raise Unreadable(f"{which}: {error.what}", error.line, error.column) from error

    def _replayed(self, failed: Attempt) -> Attempt:
        self._refuse_invalid()
        for flags in (False, True):
            onto, other = (self.ours, self.theirs) if flags else (self.theirs, self.ours)
            text = replay(self.form, onto.text, onto.value, self.expected)
            if text is None or other is onto:
                continue
            try:
                tree = parse(self.form.read, text, "result").tree
            except Unreadable:
                continue
            difference = self._difference(tree)
            if difference is None:
                return Attempt(tree, failed.clashes, None)
        return Attempt(self.ours.tree, failed.clashes, failed.difference or ())

    def _merged(self, attempt: Attempt) -> Merged:
        sides = (self.base.tree if self.base else None, self.ours.tree, self.theirs.tree)
        conflicts = conflicts_of(sides, attempt.clashes, self.values, attempt.difference)
        conflicts += self._required()
        conflicts = [replace(c, note=self.told.remark(split_path(c.path))) for c in conflicts]
        text = self._with_given(attempt)
        notes = [Note(shown_path(path), note) for path, note in self.notes.items()]
        notes += self.form.remarks(self.expected or {}, self.ours.value, self.theirs.value)
        marked = self._marked(attempt) if conflicts else ""
        return Merged(_bytes(text), tuple(conflicts), tuple(notes), self.form.name, _bytes(marked))

    def _with_given(self, attempt: Attempt) -> str:
        """Return the text with every value that was given, whichever way it was merged."""
        text = attempt.tree.text
        for path in sorted(self.values.given - attempt.answered):
            text = with_value(self.form, text, path, self.told.answers[shown_path(path)].value)
        return text

    def _marked(self, attempt: Attempt) -> str:
        """Return the text with markers: by structure, else by lines, else around everything."""
        size = self.told.marker_size
        sign = "<" * size + " "
        found = marked_text(attempt.tree, size) if attempt.difference is None else ""
        if sign in found:
            return found
        base = self.base.text if self.base else ""
        _, by_lines, _ = merge_lines(base, self.ours.text, self.theirs.text, Told(), size)
        if sign in by_lines:
            return by_lines
        return between_markers(base, self.ours.text, self.theirs.text, size)

    def _required(self) -> list[Conflict]:
        found = []
        for path in self.told.required:
            if path not in self.told.answers and not _has(self.ours.value, split_path(path)):
                found.append(Conflict(path, "required", reason="new, and has no default"))
        return found


def _has(value: Value, path: Key) -> bool:
    for word in path:
        if not isinstance(value, dict) or word not in value:
            return False
        value = value[word]
    return True


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
