"""What an old file gives to each of the new files that it was divided into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from changeover.merge.catalogue import detect, load
from changeover.merge.comments import comments_of
from changeover.merge.encoding import decode
from changeover.merge.engine import Identity, told_of
from changeover.merge.formats.base import Format
from changeover.merge.homes import Homes, Part
from changeover.merge.identity import facts
from changeover.merge.replay import replay
from changeover.merge.tree import Block, Item, Key, Leaf, Value
from changeover.merge.verdict import Conflict, Side, Told, Unreadable, shown_path, split_path

HOMELESS = "homeless"
"""The kind of conflict that asks where an addition goes."""


@dataclass(frozen=True)
class Old:
    """A file as it was: the reference it was made from, and what operators made of it."""

    name: str
    base: bytes | None
    ours: bytes
    parts: tuple[str, ...]
    """The new files its settings went into."""
    stays: str = ""
    """Which of them is the same file, if one is."""


@dataclass(frozen=True)
class New:
    """A file as the reference has it now, and what is told about it."""

    name: str
    """Its path: it tells the format."""
    theirs: bytes
    format: str | None = None
    identity: Identity = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def form(self) -> Format:
        """The format it has."""
        return load(self.format or detect(self.name, decode(self.theirs).text))

    def part(self) -> Part:
        """Return the file as settings are looked up in it; raises `Unreadable`."""
        text, form = decode(self.theirs).text, self.form
        moves = {split_path(old): split_path(new) for old, new in self.renamed.items()}
        try:
            return Part(form.read(text)[0], form.values(text), moves)
        except Unreadable as error:
            raise Unreadable(f"{self.name}: {error.what}", error.line, error.column) from error


@dataclass(frozen=True)
class Share:
    """What one old file gives to one new file."""

    base: bytes | None
    ours: bytes
    homeless: tuple[Conflict, ...] = ()
    lost: tuple[str, ...] = ()
    """Remarks that could not come along."""


def share_of(old: Old, news: Mapping[str, New], wanted: str, chosen: Mapping[str, str]) -> Share:
    """Return what an old file gives to one of its parts."""
    if len(old.parts) == 1:
        return Share(old.base, old.ours)
    form = news[wanted].form
    if form.name == "text":
        said = f"{old.name}: plain text has no settings that could be divided"
        raise Unreadable(f"ours: {said}")
    parts = {name: news[name].part() for name in old.parts}
    told = told_of(news[wanted].identity)
    homes = Homes(form.meaning, told, parts, old.stays,
                  {split_path(path): name for path, name in chosen.items()})  # fmt: skip
    try:
        return _cut(old, form, homes, wanted)
    except Unreadable as error:
        if error.line is not None:
            raise
        return _cut_by_value(old, news[wanted], homes, wanted)


def _cut(old: Old, form: Format, homes: Homes, wanted: str) -> Share:
    """Cut the texts; raise `Unreadable` without a line where pieces alone mean something else."""
    sources = [decode(text) if text is not None else None for text in (old.base, old.ours)]
    trees = [_read(form, s.text, which) if s else None
             for s, which in zip(sources, ("base", "ours"), strict=True)]  # fmt: skip
    base, ours = trees
    assert ours is not None  # noqa: S101 - only the base may be absent
    homes.settle(base, ours)
    for source, tree in zip(sources, trees, strict=True):
        if source is not None and tree is not None:
            cuts = {name: homes.cut(tree, name).text for name in homes.parts}
            _refuse_losses(form, source.text, cuts, wanted, complete=not homes.chosen)
    texts = [s.written(homes.cut(t, wanted).text) if s and t else None
             for s, t in zip(sources, trees, strict=True)]  # fmt: skip
    return Share(texts[0], texts[1] or b"", _homeless(old, homes, wanted))


def _read(form: Format, text: str, which: str) -> Block:
    try:
        return form.read(text)[0]
    except Unreadable as error:
        raise Unreadable(f"{which}: {error.what}", error.line or 1, error.column) from error


def _refuse_losses(
    form: Format, whole: str, cuts: Mapping[str, str], wanted: str, *, complete: bool
) -> None:
    """Raise `Unreadable` without a line where pieces say less or more than the whole."""
    said = said_in(form.values(whole))
    together: Counter[str] = Counter()
    for name, text in cuts.items():
        try:
            piece = said_in(form.values(text)) if text.strip() else Counter()
        except Unreadable as error:
            if name == wanted:
                raise Unreadable(error.what) from error
            complete = False
            continue
        together |= piece
        if name == wanted and piece - said:
            raise Unreadable("a piece says what the whole does not")
    if complete and set(said) - set(together):
        raise Unreadable("the pieces say less than the whole")


def said_in(value: Value) -> Counter[str]:
    """Return what a value says, fact by fact, lists of one being that one."""
    return Counter(fact.replace("[]", "") for fact in facts(value))


def _homeless(old: Old, homes: Homes, wanted: str) -> tuple[Conflict, ...]:
    names = ", ".join(old.parts)
    text = decode(old.ours).text
    return tuple(
        Conflict(
            shown_path(path), HOMELESS, None, _side(item.text, text), None,
            f"added to {old.name}, which is {names} now: name one of them, or `ours` for {put}",
        )
        for path, (put, item) in homes.homeless.items()
        if put == wanted
    )  # fmt: skip


def _side(piece: str, text: str) -> Side:
    place = text.find(piece)
    line = text.count("\n", 0, place + len(piece) - len(piece.lstrip("\n"))) + 1
    return Side(piece.strip("\n"), line if place >= 0 else None)


def _cut_by_value(old: Old, new: New, homes: Homes, wanted: str) -> Share:
    """Cut what the texts mean, where pieces of them cannot stand alone: anchors lead across.

    The edits are written into the new reference, whose remarks stay; those beside them do not.
    """
    form = new.form
    texts = [decode(text).text if text is not None else None for text in (old.base, old.ours)]
    parts = {name: replace(part, tree=tree_of(part.value)) for name, part in homes.parts.items()}
    apart = Homes(form.meaning, Told(), parts, homes.own, homes.chosen)
    trees = [tree_of(form.values(text)) if text is not None else None for text in texts]
    base, ours = trees
    assert ours is not None  # noqa: S101 - only the base may be absent
    apart.settle(base, ours)
    cuts = [apart.cut(tree, wanted).value if tree else None for tree in trees]
    theirs = decode(new.theirs).text
    written = [_onto(form, theirs, value) for value in cuts]
    if written[1] is None or (written[0] is None and base is not None):
        raise Unreadable(f"ours: {old.name} cannot be divided: what belongs elsewhere is used here")
    lost = _local_remarks(old, form, homes, wanted)
    return Share(
        written[0].encode() if written[0] is not None else None, written[1].encode(),
        _homeless(old, apart, wanted), tuple(sorted(lost)),
    )  # fmt: skip


def _onto(form: Format, theirs: str, value: Value | None) -> str | None:
    """Write a meaning in the words of the reference."""
    if value is None:
        return None
    known = form.values(theirs)
    text = theirs if known == value else replay(form, theirs, known, value)
    return text if text is not None and form.values(text) == value else None


def _local_remarks(old: Old, form: Format, homes: Homes, wanted: str) -> set[str]:
    """Return the comments of operators that belong to a part."""
    found = []
    for content in (old.ours, old.base or b""):
        tree = form.read(decode(content).text)[0]
        again = Homes(homes.meaning, homes.told, homes.parts, homes.own, homes.chosen)
        again.settle(None, tree)
        found.append(set(comments_of(again.cut(tree, wanted))))
    return found[0] - found[1]


def tree_of(value: Value) -> Block:
    """Return a tree without a text that means a value."""
    if isinstance(value, dict):
        return Block([_item(inner, (key,), None) for key, inner in value.items()])
    found = value if isinstance(value, list) else []
    return Block([_item(inner, (), "") for inner in found], "list")


def _item(value: Value, key: Key, group: str | None) -> Item:
    inner = tree_of(value) if isinstance(value, (dict, list)) else Leaf("", value)
    return Item("entry", "", inner, key=key, group=group)
