"""What is wrong with a reference and with what a release says about its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from changeover.actions.parameters import Misfit
from changeover.errors import InvalidRelease
from changeover.merge.catalogue import detect, load, names
from changeover.merge.encoding import decode
from changeover.merge.overriding import FORMATS
from changeover.merge.tree import Key, Value
from changeover.merge.verdict import Unreadable, split_path


def demand_trial(action: str, validate: Sequence[str], tree: str, path: str) -> None:
    """Raise `InvalidRelease` for a validator that would judge another file."""
    holes = ("{}", "{tree}") if tree else ("{}",)
    if validate and not any(hole in word for word in validate for hole in holes):
        raise InvalidRelease(
            f"{action}: validate: no word holds {' or '.join(holes)}",
            'Put "{}" where the path of the copy belongs.',
        )
    if tree and not path.startswith(f"{tree}/"):
        raise InvalidRelease(
            f"{action}: tree: {path} is not below {tree}", "Name a folder the file is in."
        )


def flaws_of(
    reference: bytes, told: Mapping[str, Any], previous: Sequence[bytes]
) -> Iterator[Misfit]:
    """Yield what is wrong; `previous` are the references of the release before, if it is known.

    `told` is what the release says of the file: format, path, identity, renamed, required, notes.
    """
    format = told.get("format") or ""
    if format and format not in names():
        yield Misfit("format", f"no format is called `{format}`", f"one of {', '.join(names())}")
        return
    try:
        new = _value(reference, format, told["path"])
    except Unreadable as error:
        yield Misfit("reference", f"cannot be read: {error.message}", "correct the reference")
        return
    yield from _override(reference, format, told)
    older = [value for text in previous if (value := _readable(text, format, told)) is not None]
    yield from _renamed(new, older, told.get("renamed", {}))
    yield from _trial(told)
    for path in told.get("identity", {}):
        if not any(_has_list(value, split_path(path)) for value in (new, *older)):
            yield Misfit("identity", f"the reference has no list `{path}`", "correct the path")
    for path in told.get("required", ()):
        if older and all(_at(value, split_path(path)) is not None for value in older):
            message = f"`{path}` is no new setting: the release before has it"
            yield Misfit("required", message, "take it out: there is a value to keep")


def _override(reference: bytes, format: str, told: Mapping[str, Any]) -> Iterator[Misfit]:
    if not told.get("override"):
        return
    found = format or detect(told["path"], decode(reference).text)
    if found not in FORMATS:
        message = f"{found} files have no overrides: one file has to say all"
        yield Misfit("override", message, f"take it out; {', '.join(FORMATS)} files have them")


def _trial(told: Mapping[str, Any]) -> Iterator[Misfit]:
    words, tree, path = told.get("validate", ()), told.get("tree", ""), told["path"]
    if any("{{" in text or "{%" in text for text in (*words, tree, path)) or path[:1] != "/":
        return  # only an instance knows them
    try:
        demand_trial("files.merge", words, tree, path)
    except InvalidRelease as error:
        yield Misfit("validate" if "validate" in error.message else "tree", error.message)


def _renamed(new: Value, older: Sequence[Value], renamed: Mapping[str, str]) -> Iterator[Misfit]:
    for old, now in renamed.items():
        if "{" in old or "{" in now:
            continue  # only an instance knows them
        before, after = split_path(old), split_path(now)
        if _at(new, after) is None:
            yield Misfit("renamed", f"the reference has no `{now}`", "correct the new path")
        if _at(new, before) is not None:
            message = f"the reference still has `{old}`, so nothing is carried along"
            yield Misfit("renamed", message, "take it out of the reference, or of `renamed`")
        if older and all(_at(value, before) is None for value in older):
            message = f"the release before has no `{old}`"
            yield Misfit("renamed", message, "correct the old path")


def _value(text: bytes, format: str, path: str) -> Value:
    source = decode(text)
    form = load(format or detect(path, source.text))
    _, value = form.read(source.text)
    return value


def _readable(text: bytes, format: str, told: Mapping[str, Any]) -> Value | None:
    try:
        return _value(text, format, told["path"])
    except Unreadable:
        return None


def _at(value: Value | None, path: Key) -> Value | None:
    for word in path:
        value = value.get(word) if isinstance(value, dict) else None
    return value


def _has_list(value: Value, path: Key) -> bool:
    """Say whether something with elements is at a path; one word may be the last of any path."""
    if len(path) == 1 and _anywhere(value, path[0]):
        return True
    return isinstance(_at(value, path), list | dict)


def _anywhere(value: Value | None, word: str) -> bool:
    if isinstance(value, dict):
        return word in value or any(_anywhere(inner, word) for inner in value.values())
    return isinstance(value, list) and any(_anywhere(inner, word) for inner in value)
