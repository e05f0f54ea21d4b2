"""Two references of one file, setting by setting: what the vendor changed between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from changeover.merge.catalogue import detect, load
from changeover.merge.comments import comments_of
from changeover.merge.encoding import decode
from changeover.merge.engine import Identity
from changeover.merge.settings import Setting, differences, value_at
from changeover.merge.verdict import Unreadable, split_path

_TAG = re.compile(r"\{%-?.*?-?%\}[ \t]*\n?|\{#.*?#\}[ \t]*\n?", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)


@dataclass(frozen=True)
class SettingChange:
    """One setting the vendor added, removed, changed, renamed or moved."""

    path: str
    kind: str
    """`added`, `removed`, `changed`, `renamed` (the release says so) or `moved` (its value and its
    last word turned up elsewhere)."""
    old: str | None = None
    new: str | None = None
    old_path: str = ""


@dataclass(frozen=True)
class Comparison:
    """What differs between two references; texts that only comment are told apart."""

    changes: tuple[SettingChange, ...] = ()
    comments_added: tuple[str, ...] = ()
    comments_removed: tuple[str, ...] = ()
    note: str = ""
    """Set where the two could only be compared by lines, and why."""

    def __bool__(self) -> bool:
        return bool(self.changes or self.comments_added or self.comments_removed or self.note)


@dataclass(frozen=True)
class Hints:
    """What is told about a comparison."""

    name: str
    format: str | None = None
    identity: Identity | None = None
    renamed: Mapping[str, str] | None = None
    secrets: Collection[str] = ()


def compare(old: bytes, new: bytes, hints: Hints) -> Comparison:
    """Compare two references; a text its format cannot read is compared by lines."""
    if old == new:
        return Comparison()
    try:
        return _compared(old, new, hints)
    except Unreadable as error:
        by_lines = _compared(old, new, replace(hints, format="text", renamed=None))
        return replace(by_lines, note=f"compared by lines: {error.message}")


def template_text(text: str) -> str:
    """Return a template as a text of its format: expressions stand for themselves, tags go.

    `port = {{ vars.port }}` becomes `port = <vars.port>`; both branches of a condition stay.
    """
    return _EXPRESSION.sub(r"<\1>", _TAG.sub("", text))


def _compared(old: bytes, new: bytes, hints: Hints) -> Comparison:
    texts = [decode(content).text for content in (old, new)]
    form = load(hints.format or detect(hints.name, texts[1]))
    renamed = dict(hints.renamed or {})
    settings = differences(
        old, old, new, format=form.name, name=hints.name, identity=hints.identity,
        renamed=renamed, secrets=hints.secrets,
    )  # fmt: skip
    before, after = (form.values(text) if text.strip() else {} for text in texts)
    told = {
        there: here
        for here, there in renamed.items()
        if value_at(before, split_path(here)) is not None
        and value_at(after, split_path(there)) is not None
        and value_at(before, split_path(there)) is None
    }
    changes = _renamed(settings, told) if told else [_change(s) for s in settings]
    # Of a plain text every line is one: they are among the changes.
    told_apart = texts if form.name != "text" else ["", ""]
    remarks = [Counter(comments_of(form.read(text)[0])) for text in told_apart]
    return Comparison(
        tuple(_moved(changes)),
        tuple((remarks[1] - remarks[0]).elements()),
        tuple((remarks[0] - remarks[1]).elements()),
    )


def _change(setting: Setting) -> SettingChange:
    kind = "added" if setting.base is None else "removed" if setting.theirs is None else "changed"
    return SettingChange(setting.path, kind, setting.base, setting.theirs)


def _renamed(settings: Iterable[Setting], told: Mapping[str, str]) -> list[SettingChange]:
    """Return the changes; what was renamed is one of them even where its value stayed."""
    changed = {s.path: s for s in settings}
    found = [SettingChange(new, "renamed", None, None, old) for new, old in told.items()
             if new not in changed]  # fmt: skip
    for path, setting in changed.items():
        change = _change(setting)
        old = told.get(path)
        found.append(replace(change, kind="renamed", old_path=old) if old else change)
    return found


def _moved(changes: list[SettingChange]) -> Iterator[SettingChange]:
    """Join what was removed with what was added, where word and value say it is one setting."""
    gone = Counter(_token(c) for c in changes if c.kind == "removed")
    come = Counter(_token(c) for c in changes if c.kind == "added")
    sure = {token for token in gone if gone[token] == come[token] == 1}
    old_paths = {_token(c): c.path for c in changes if c.kind == "removed"}
    for change in changes:
        if _token(change) not in sure or change.kind not in ("removed", "added"):
            yield change
        elif change.kind == "added":
            old = old_paths[_token(change)]
            yield SettingChange(change.path, "moved", change.new, change.new, old)


def _token(change: SettingChange) -> tuple[str, str]:
    return split_path(change.path)[-1], change.new or change.old or ""
