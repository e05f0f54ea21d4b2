"""Which texts of an environment nobody may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from changeover.instances.ansible.jinja import is_template
from changeover.instances.ansible.scope import Layer

_WORDS = frozenset(("true", "false", "null", "none", "yes", "default"))
"""Values that would blacken every line, and tell nobody anything."""


def secret_texts(layer: Layer, plain: set[str]) -> Iterator[str]:
    """Yield the texts of a secret layer, but for names that are plain."""
    if layer.secret:
        for name, value in layer.values.items():
            if name not in plain:
                yield from texts_in(value)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text inside a value that says something, and passwords inside addresses."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, int) and not isinstance(value, bool):
        # A number of a few digits is a port, and everywhere.
        yield from [str(value)] if abs(value) > 99_999 else []
    elif isinstance(value, str) and not is_template(value) and value.lower() not in _WORDS:
        yield value
        yield from _passwords(value)


def _passwords(value: str) -> Iterator[str]:
    if "://" not in value:
        return
    try:
        password = urlsplit(value).password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
