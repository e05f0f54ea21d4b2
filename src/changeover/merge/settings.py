"""Three files setting by setting: what was changed here, what is new there, what is in conflict."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.engine import Identity, told_of
from changeover.merge.formats.base import Format
from changeover.merge.line_settings import hunks
from changeover.merge.masking import HIDDEN, is_hidden, masked_lines, masked_text
from changeover.merge.renaming import move_value
from changeover.merge.tree import Key, Plain, Value
from changeover.merge.values import element_keys
from changeover.merge.verdict import Told, shown_path, split_path


@dataclass(frozen=True)
class Setting:
    """One setting that is not the same in all three texts; None where it is not there.

    `state` is `here` (changed here alone), `there` (new in the reference), `both` (changed alike)
    or `conflict`. Values of secrets are masked.
    """

    path: str
    base: str | None
    ours: str | None
    theirs: str | None
    state: str


def differences(  # noqa: PLR0913 - a public door; all but three are named
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    format: str | None = None,
    name: str | None = None,
    identity: Identity | None = None,
    renamed: Mapping[str, str] | None = None,
    secrets: Collection[str] = (),
) -> tuple[Setting, ...]:
    """Return every setting that differs, in the reference's order; raises `Unreadable`.

    Without a base, what is the same on both sides is not among them. A setting the release renamed
    stands under its new path; `secrets` are paths that are masked besides those whose names say so.
    """
    texts = [decode(content).text if content else "" for content in (base, ours, theirs)]
    form = load(format or detect(name, texts[2] or texts[1]))
    if form.name == "text":
        return tuple(_lines(texts[0], texts[1], texts[2], secrets))
    values = [form.values(text) if text.strip() else None for text in texts]
    for old, new in (renamed or {}).items():
        values[:2] = [_moved(value, values[2], split_path(old), split_path(new))
                      for value in values[:2]]  # fmt: skip
    seen = _Sight(form, told_of(identity), secrets)
    found = seen.settings(values[0], values[1], values[2], ())
    # Without a base nothing says that what is the same on both sides was ever changed.
    return tuple(one for one in found if base or one.state != "both")


def _lines(base: str, ours: str, theirs: str, secrets: Collection[str]) -> Iterator[Setting]:
    for hunk in hunks(base, ours, theirs):
        sides = (hunk.base, hunk.ours, hunk.theirs)
        shown = [None if side is None else masked_lines(side, secrets) for side in sides]
        yield Setting(f"line {hunk.line}", shown[0], shown[1], shown[2], _state(*sides))


def _moved(value: Value | None, theirs: Value | None, old: Key, new: Key) -> Value | None:
    """Return a value with an old setting under its new path, where the reference has that."""
    if value is None or value_at(theirs, new) is None or value_at(value, new) is not None:
        return value
    moved = deepcopy(value)
    move_value(moved, old, new)
    return moved


def value_at(value: Value | None, path: Key) -> Value | None:
    """Return what stands at a path of tables; None where nothing does."""
    for word in path:
        value = value.get(word) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True)
class _Sight:
    """Three values side by side, in one format."""

    form: Format
    told: Told
    secrets: Collection[str]

    def settings(
        self, base: Value | None, ours: Value | None, theirs: Value | None, path: Key
    ) -> Iterator[Setting]:
        sides = (base, ours, theirs)
        if base == ours == theirs:
            return
        known = [side for side in sides if side is not None]
        if all(isinstance(side, dict) for side in known):
            maps = [side if isinstance(side, dict) else {} for side in sides]
            yield from self._children(maps, path)
        elif all(isinstance(side, list) for side in known):
            lists = [side if isinstance(side, list) else [] for side in sides]
            keys = element_keys(self.form.meaning, self.told, path, lists)
            named = [dict(zip(k, v, strict=True)) for k, v in zip(keys, lists, strict=True)]
            yield from self._children(named, path)
        else:
            yield self._setting(path, base, ours, theirs)

    def _children(self, maps: list[dict[str, Value]], path: Key) -> Iterator[Setting]:
        seen = dict.fromkeys(key for found in (maps[2], maps[1], maps[0]) for key in found)
        for key in seen:
            base, ours, theirs = (found.get(key) for found in maps)
            yield from self.settings(base, ours, theirs, (*path, key))

    def _setting(
        self, path: Key, base: Value | None, ours: Value | None, theirs: Value | None
    ) -> Setting:
        texts = [self._text(side, path) for side in (base, ours, theirs)]
        return Setting(shown_path(path), texts[0], texts[1], texts[2], _state(base, ours, theirs))

    def _text(self, value: Value | None, path: Key) -> str | None:
        if value is None:
            return None
        if is_hidden(shown_path(path), self.secrets):
            return HIDDEN
        if isinstance(value, dict):
            inner = [f"{key}: {self._text(v, (*path, key))}" for key, v in value.items()]
            return "{" + ", ".join(inner) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(str(self._text(v, path)) for v in value) + "]"
        return masked_text(value.text if isinstance(value, Plain) else value)


def _state(base: Value | None, ours: Value | None, theirs: Value | None) -> str:
    if ours == theirs:
        return "both"
    if theirs == base:
        return "here"
    return "there" if ours == base else "conflict"
