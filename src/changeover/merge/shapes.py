"""Files that change shape between two releases: moved, split into several, joined into one.

Old files are cut along the new ones (`homes`), what belongs to one new file is laid together
(`joining`), and that is merged like any other file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from changeover.merge.encoding import decode
from changeover.merge.engine import merge
from changeover.merge.formats.base import Format
from changeover.merge.given import with_setting
from changeover.merge.joining import Text, doubled, laid_together, loses
from changeover.merge.settings import value_at
from changeover.merge.shares import New, Old, Share, share_of
from changeover.merge.tree import Key, Plain
from changeover.merge.verdict import Answer, Conflict, Merged, Note, Unreadable, shown_path


@dataclass(frozen=True)
class Gathered:
    """What old files hold of one new file."""

    base: bytes | None
    ours: bytes
    doubled: Mapping[Key, Conflict] = field(default_factory=dict)
    homeless: tuple[Conflict, ...] = ()
    lost: tuple[str, ...] = ()
    """Remarks that could not come along."""


def gathered(
    olds: Sequence[Old],
    news: Mapping[str, New],
    wanted: str,
    homes: Mapping[str, str] | None = None,
) -> Gathered:
    """Gather what belongs to one new file; raises `Unreadable` where a side cannot be read.

    `homes` says which new file an addition goes to that could belong to several, by path; empty
    for none. Conflicts of the kind `homeless` ask for that: `ours` keeps it in the file that asks.
    """
    sources = [old for old in olds if wanted in old.parts]
    shares = [share_of(old, news, wanted, homes or {}) for old in sources]
    homeless = tuple(c for share in shares for c in share.homeless)
    lost = tuple(text for share in shares for text in share.lost)
    if len(shares) == 1:
        return Gathered(shares[0].base, shares[0].ours, {}, homeless, lost)
    base, ours, asked = _together(news[wanted].form, sources, shares)
    return Gathered(base, ours, asked, homeless, lost)


def reshaped(
    found: Gathered, new: New, answers: Mapping[str, Answer | str] | None = None
) -> Merged:
    """Merge what was gathered with the new reference; raises `Unreadable`."""
    given = dict(answers or {})
    merged = merge(found.base, found.ours, new.theirs, format=new.form.name, name=new.name,
                   identity=new.identity, renamed=new.renamed, required=new.required,
                   answers=given)  # fmt: skip
    merged = _settled(merged, new, found.doubled, given)
    unsettled = (c for path, c in found.doubled.items() if shown_path(path) not in given)
    notes = [Note("", f"a remark is left behind: {text}") for text in found.lost]
    conflicts = (*merged.conflicts, *unsettled, *found.homeless)
    return replace(merged, conflicts=conflicts, notes=(*merged.notes, *notes))


def _settled(
    merged: Merged, new: New, asked: Mapping[Key, Conflict], answers: Mapping[str, Answer | str]
) -> Merged:
    """Write what was answered where files said different things."""
    text = merged.text
    for path in asked:
        answer = answers.get(shown_path(path), "ours")
        said = answer if isinstance(answer, str) else answer.value or answer.choice
        if said == "theirs":
            there = value_at(new.form.values(decode(new.theirs).text), path)
            said = there.text if isinstance(there, Plain) else str(there or "ours")
        if said != "ours":
            told = {"format": new.form.name, "name": new.name}
            text = with_setting(text, shown_path(path), said, **told)
    return replace(merged, text=text)


def _together(
    form: Format, olds: Sequence[Old], shares: Sequence[Share]
) -> tuple[bytes | None, bytes, dict[Key, Conflict]]:
    """Lay what several files give into one base and one local text."""
    sources = [decode(share.ours) for share in shares]
    ours = [Text(o.name, s.text) for o, s in zip(olds, sources, strict=True)]
    known = [share.base is not None for share in shares]
    bases = [Text(o.name, decode(s.base or b"").text) for o, s in zip(olds, shares, strict=True)]
    both = (laid_together(form, bases), laid_together(form, ours))
    if form.name != "text":
        for which, text, texts in zip(("base", "ours"), both, (bases, ours), strict=True):
            if loses(form, [one.text for one in texts], text):
                names = ", ".join(one.name for one in texts)
                raise Unreadable(f"{which}: {names} cannot be laid into one file")
    asked = {} if form.name == "text" else dict(
        doubled(form, [b if k else None for b, k in zip(bases, known, strict=True)], ours)
    )  # fmt: skip
    flags = sources[0]
    return flags.written(both[0]) if any(known) else None, flags.written(both[1]), asked


def split(base: bytes | None, ours: bytes, parts: Mapping[str, bytes]) -> dict[str, Merged]:
    """Merge one edited file into the several files the reference has now, by their names."""
    old = Old("the file", base, ours, tuple(parts))
    news = {name: New(name, theirs) for name, theirs in parts.items()}
    return {name: reshaped(gathered([old], news, name), news[name]) for name in parts}


def join(bases: Mapping[str, bytes], ours: Mapping[str, bytes], theirs: bytes, name: str) -> Merged:
    """Merge several edited files into the one file the reference has now."""
    olds = [Old(old, bases.get(old), text, (name,)) for old, text in ours.items()]
    news = {name: New(name, theirs)}
    return reshaped(gathered(olds, news, name), news[name])


def moved(base: bytes | None, ours: bytes, theirs: bytes, *, name: str) -> Merged:
    """Merge a file that has another name or place now; its new name tells the format."""
    return merge(base, ours, theirs, name=name)
