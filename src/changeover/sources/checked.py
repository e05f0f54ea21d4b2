"""Check what a file says against a model: every error at once, with places and remedies."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from changeover.errors import InvalidInput
from changeover.model.problem import ERROR, Problem, nearest, suggestion
from changeover.sources.yamltree import Place, Tree

M = TypeVar("M", bound=BaseModel)


class Written(BaseModel):
    """The base of everything people write: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, protected_namespaces=())


def refused(why: str, remedy: str = "") -> PydanticCustomError:
    """Make the error a field's own check raises."""
    # Braces would be read as a format string.
    return PydanticCustomError("refused", "{why}", {"why": why, "remedy": remedy})


def checked(model: type[M], tree: Tree, place: Place = ()) -> tuple[M | None, list[Problem]]:
    """Return what the file says as a model, or all that is wrong with it."""
    value: Any = tree.value
    for word in place:
        value = value[word]
    if not isinstance(value, dict):
        what = "is empty" if value is None else "must be a mapping"
        return None, [Problem(f"{_named(place)}{what}", tree.where(place), _first_line(model))]
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, list(_problems(model, error, tree, place))


def salvaged(model: type[M], tree: Tree) -> tuple[M | None, list[Problem]]:
    """Check like `checked`, and go on without what is wrong, so that the rest is judged too."""
    value, problems = tree, list[Problem]()
    for _ in range(_SALVAGES):
        made, wrong = checked(model, value)
        # Later rounds complain of what the first one took away.
        problems = problems or wrong
        if made is not None:
            return made, problems
        pruned = _pruned(model, value.value)
        if pruned is None:
            return None, problems
        value = Tree(pruned, tree.file, tree.mark)
    return None, problems


_SALVAGES = 4
_INSTEAD: dict[str | int, Any] = {"id": "", "format": 1, "product": "x", "version": "0"}
"""What stands for a wrong value that cannot be left out."""


def _unnamed(place: Place) -> str:
    return "unnamed-" + "-".join(map(str, place[:-1]))


def _pruned(model: type[BaseModel], value: Any) -> Any:
    """Return a copy without the keys that are wrong; None where that would not mend it."""
    if not isinstance(value, dict):
        return None
    copy = deepcopy(value)
    try:
        model.model_validate(copy)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _cut(copy, details["loc"])
    return copy if copy != value else None


def _cut(value: Any, place: Place) -> None:
    """Remove a key; the places of list items must stay, so those are kept."""
    for word in place[:-1]:
        inside = isinstance(value, dict | list) and (
            word in value if isinstance(value, dict) else isinstance(word, int)
        )
        if not inside:
            return
        value = value[word]
    if isinstance(value, dict):
        instead = _INSTEAD.get(place[-1])
        if value.pop(place[-1], None) is not None and instead is not None:
            value[place[-1]] = instead if place[-1] != "id" else _unnamed(place)


def insist(problems: Iterable[Problem], kind: type[InvalidInput]) -> None:
    """Raise one error that names every problem which is an error, if there is one."""
    errors = [p for p in problems if p.level == ERROR]
    if not errors:
        return
    lines = [f"{p.where}: {p.message}" if str(p.where) else p.message for p in errors]
    remedies = dict.fromkeys(p.remedy for p in errors if p.remedy)
    raise kind("\n".join(lines), "; ".join(remedies))


def _named(place: Sequence[str | int]) -> str:
    words = [f"[{w}]" if isinstance(w, int) else f".{w}" for w in place]
    return f"{''.join(words).lstrip('.')}: " if words else ""


def _first_line(model: type[BaseModel]) -> str:
    required = [f.alias or n for n, f in model.model_fields.items() if f.is_required()]
    return f"write at least: {', '.join(required)}" if required else "write `key: value` lines"


def _problems(
    model: type[BaseModel], error: ValidationError, tree: Tree, place: Place
) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        at = (*place, *details["loc"])
        if details["type"] == "extra_forbidden":
            word = str(at[-1])
            known = _keys(_model_at(model, details["loc"][:-1]))
            where = tree.where(at, key=True)
            yield Problem(f"unknown key `{word}`", where, suggestion(word, known))
        elif details["type"] == "missing":
            message = f"{_named(at[:-1])}`{at[-1]}` is missing"
            yield Problem(message, tree.where(at[:-1]), f"write `{at[-1]}: ...` here")
        else:
            yield _wrong_value(details, tree, at)


def _wrong_value(details: ErrorDetails, tree: Tree, at: Place) -> Problem:
    where, raw = tree.where(at), tree.raw(at)
    if details["type"] == "refused":
        context = details["ctx"]
        return Problem(f"{_named(at)}{context['why']}", where, context["remedy"])
    if details["type"] == "string_type" and raw:
        kind = "a number" if raw[0] in "+-.0123456789" else "a word of YAML, not text"
        message = f"{_named(at)}{raw} is read as {kind}"
        return Problem(message, where, f'put it in quotes: "{raw}"')
    return Problem(f"{_named(at)}{_said(details)}", where, _wanted(details))


_WANTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "list_type": "must be a list",
}
_REMEDIES = {
    "dict_type": "write `key: value` lines below it",
    "model_type": "write `key: value` lines below it",
    "list_type": "write it like [one, two]",
    "string_type": "put the value in quotes",
}


def _said(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind in ("literal_error", "enum"):
        return f"`{details['input']}` is not one of its words"
    message = details["msg"]
    return _WANTED.get(kind, message[:1].lower() + message[1:])


def _wanted(details: ErrorDetails) -> str:
    if details["type"] in ("literal_error", "enum"):
        expected = str(details["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        words = [w.strip() for w in expected.split(",")]
        near = nearest(str(details["input"]), words)
        return f"did you mean `{near}`?" if near else f"one of: {', '.join(words)}"
    return _REMEDIES.get(details["type"], "")


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [f.alias or n for n, f in model.model_fields.items()] if model else []


def _model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    current: Any = model
    for word in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {f.alias or n: f for n, f in current.model_fields.items()}
            current = fields[str(word)].annotation if word in fields else None
        else:
            current = _inner(current)
        current = _without_none(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """Return what a list or a mapping holds."""
    held = typing.get_args(annotation)
    return _without_none(held[-1]) if held else None


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return _without_none(typing.get_args(annotation)[0])
    held = [a for a in typing.get_args(annotation) if a is not type(None)]
    is_optional = type(None) in typing.get_args(annotation)
    return _without_none(held[0]) if is_optional and len(held) == 1 else annotation
