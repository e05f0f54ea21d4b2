"""What two files mean together, where a program lays one over the other."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from changeover.merge.formats.base import Format
from changeover.merge.replay import replay
from changeover.merge.tree import Key, Value


class Lists(Enum):
    """What becomes of a list that both files have."""

    APPENDED = "appended"
    REPLACED = "replaced"
    KEYED = "keyed"
    """An element takes the place of the one that has its name; others are appended."""


_REPLACED = frozenset(("command", "entrypoint", "test"))
_KEYED = frozenset(("volumes", "devices", "secrets", "configs"))
COMMANDS = ("Exec", "Condition", "Assert", "Listen", "On", "Path", "EnvironmentFile", "Directory",
            "MakeDirectory", "LoadCredential", "SetCredential", "TemporaryFileSystem",
            "SocketBind", "IPAddress", "IPIngress", "IPEgress", "Device")  # fmt: skip
"""How names of systemd's directives begin that are added to those before, and that an empty one
resets."""


def lists_of(form: str, path: Key) -> Lists:
    """Return what a program does with the lists at a path."""
    if form != "compose":
        return Lists.REPLACED if form in ("yaml", "toml", "json") else Lists.APPENDED
    kind = path[-1] if path else ""
    if kind in _REPLACED:
        return Lists.REPLACED
    return Lists.KEYED if kind in _KEYED else Lists.APPENDED


def layered(form: Format, under: Value, over: Value, path: Key = ()) -> Value:
    """Return what a file means with another one laid over it."""
    if form.name == "systemd" and not path:
        return _drop_in(under, over)
    if isinstance(under, dict) and isinstance(over, dict):
        both = dict.fromkeys((*under, *over))
        return {key: _either(form, under, over, (*path, key)) for key in both}
    rule = lists_of(form.name, path)
    if rule is Lists.REPLACED or not (isinstance(under, list) or isinstance(over, list)):
        return over
    return _lists(form, _listed(under), _listed(over), path)


def effective(form: Format, under: str, over: str) -> str | None:
    """Return one text that means what two mean together; None where that cannot be written."""
    known = form.values(under)
    both = layered(form, known, form.values(over))
    return replay(form, under, known, both)


def _either(form: Format, under: dict[str, Value], over: dict[str, Value], path: Key) -> Value:
    key = path[-1]
    if key in under and key in over:
        return layered(form, under[key], over[key], path)
    return over[key] if key in over else under[key]


def _lists(form: Format, under: list[Value], over: list[Value], path: Key) -> list[Value]:
    if lists_of(form.name, path) is Lists.KEYED:
        names = {form.meaning.identify(path, value) for value in over}
        under = [value for value in under if form.meaning.identify(path, value) not in names]
    return [*under, *(value for value in over if value not in under)]


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def beyond(form: Format, under: Value, both: Value, path: Key = ()) -> Value:
    """Return what has to be laid over a file so that it means another one; nothing is taken out."""
    if isinstance(under, dict) and isinstance(both, dict):
        changed = {key: value for key, value in both.items() if under.get(key) != value}
        return {key: beyond(form, under[key], value, (*path, key)) if key in under else value
                for key, value in changed.items()}  # fmt: skip
    if isinstance(under, list) and isinstance(both, list) and (
        lists_of(form.name, path) is not Lists.REPLACED
    ):  # fmt: skip
        return [value for value in both if value not in under]
    return both


def _drop_in(under: Value, over: Value) -> Value:
    """Return a unit with a drop-in, as systemd reads them one after the other."""
    assert isinstance(under, dict) and isinstance(over, dict)  # noqa: S101, PT018 - units are sections
    result: dict[str, Value] = dict(under)
    for section, settings in over.items():
        known = result.get(section, {})
        if not isinstance(known, dict) or not isinstance(settings, dict):
            continue
        result[section] = _section(known, settings)
    return result


def _section(under: dict[str, Value], over: dict[str, Value]) -> dict[str, Value]:
    found = dict(under)
    for key, value in over.items():
        old = found.get(key)
        if isinstance(value, dict):
            found[key] = {**(old if isinstance(old, dict) else {}), **value}
        elif isinstance(value, list) or key.startswith(COMMANDS):
            found[key] = _after_reset([*(_listed(old) if old else []), *_listed(value)])
        else:
            found[key] = value
    left = {key: value for key, value in found.items() if value != []}
    return _without_unset(left, over.get("UnsetEnvironment"))


def _after_reset(values: list[Value]) -> list[Value]:
    resets = [place for place, value in enumerate(values) if value == ""]
    kept = values[resets[-1] + 1 :] if resets else values
    return list(_once(kept))


def _once(values: Iterable[Value]) -> Iterable[Value]:
    seen: list[Value] = []
    for value in values:
        if value not in seen:
            seen.append(value)
            yield value


def _without_unset(found: dict[str, Value], names: Value | None) -> dict[str, Value]:
    """Take away the variables a drop-in unsets, and the words that did so."""
    variables = found.get("Environment")
    if not isinstance(variables, dict) or not names:
        return found
    gone = [name for name in _listed(names) if name in variables]
    left = {name: text for name, text in variables.items() if name not in gone}
    unset = [name for name in _listed(found["UnsetEnvironment"]) if name not in gone]
    now: dict[str, Value] = {"Environment": left, "UnsetEnvironment": unset}
    return {key: now.get(key, value) for key, value in found.items() if now.get(key, value)}
