"""Choosing values in a file: `datasets[].params.tag_ids[]`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from changeover.errors import InvalidRelease
from changeover.sources.yamltree import Place

_PATH = re.compile(r"\w[\w-]*(?:\[\])?(?:\.\w[\w-]*(?:\[\])?)*")


def require_path(action: str, path: str) -> None:
    """Raise `InvalidRelease` unless a text is a path as releases write it."""
    if not _PATH.fullmatch(path):
        raise InvalidRelease(
            f"{action}: {path!r} is no path", "Write it like `datasets[].params.tag_ids[]`."
        )


def selected(value: Any, path: str, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield place and value of all that a path means; what is not there is left out."""
    if not path:
        yield at, value
        return
    word, _, rest = path.partition(".")
    name = word.removesuffix("[]")
    if not isinstance(value, Mapping) or name not in value:
        return
    below = value[name]
    if not word.endswith("[]"):
        yield from selected(below, rest, (*at, name))
    elif isinstance(below, list):
        for number, item in enumerate(below):
            yield from selected(item, rest, (*at, name, number))


def said(place: Place) -> str:
    """Return a place as people write it: `users[2].params.email`."""
    text = "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in place)
    return text.removeprefix(".") or "the file"
