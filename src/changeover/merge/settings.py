"""Three files setting by setting: what was changed here, what is new there, what is in conflict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from changeover.merge.answers import is_secret
from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.tree import Key, Plain, Value
from changeover.merge.values import element_keys
from changeover.merge.verdict import Told, shown_path

_HIDDEN = "********"


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


def differences(
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    format: str | None = None,
    name: str | None = None,
) -> tuple[Setting, ...]:
    """Return every setting that differs; raises `Unreadable`."""
    texts = [decode(content).text if content else "" for content in (base, ours, theirs)]
    form = load(format or detect(name, texts[2] or texts[1]))
    values = [form.values(text) if text.strip() else None for text in texts]
    return tuple(_settings(form, values[0], values[1], values[2], ()))


def _settings(
    form: Format, base: Value | None, ours: Value | None, theirs: Value | None, path: Key
) -> Iterator[Setting]:
    sides = (base, ours, theirs)
    if base == ours == theirs:
        return
    known = [side for side in sides if side is not None]
    if all(isinstance(side, dict) for side in known):
        maps = [side if isinstance(side, dict) else {} for side in sides]
        yield from _children(form, maps, path)
    elif all(isinstance(side, list) for side in known):
        lists = [side if isinstance(side, list) else [] for side in sides]
        keys = element_keys(form.meaning, Told(), path, lists)
        named = [dict(zip(k, v, strict=True)) for k, v in zip(keys, lists, strict=True)]
        yield from _children(form, named, path)
    else:
        yield _setting(path, base, ours, theirs)


def _children(form: Format, maps: list[dict[str, Value]], path: Key) -> Iterator[Setting]:
    seen = dict.fromkeys(key for found in (maps[2], maps[1], maps[0]) for key in found)
    for key in seen:
        base, ours, theirs = (found.get(key) for found in maps)
        yield from _settings(form, base, ours, theirs, (*path, key))


def _setting(path: Key, base: Value | None, ours: Value | None, theirs: Value | None) -> Setting:
    if ours == theirs:
        state = "both"
    elif theirs == base:
        state = "here"
    else:
        state = "there" if ours == base else "conflict"
    shown = shown_path(path)
    hide = is_secret(shown)
    texts = [_HIDDEN if hide and side is not None else _text(side) for side in (base, ours, theirs)]
    return Setting(shown, texts[0], texts[1], texts[2], state)


def _text(value: Value | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, Plain):
        return value.text
    return value if isinstance(value, str) else repr(value)
