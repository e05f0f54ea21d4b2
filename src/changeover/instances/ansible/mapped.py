"""Values of an instance made from an environment's variables, each when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from changeover.instances.ansible.jinja import OMIT, UndefinedVariable, is_template
from changeover.instances.ansible.scope import NeedsHost, Scope


class Mapped(Mapping[str, Any]):
    """Name -> a template rendered with the variables of a host. Raises `InvalidInput`."""

    def __init__(
        self,
        written: Mapping[str, Any],
        scope: Scope,
        file: str,
        explain: Callable[[UndefinedVariable], Exception],
    ) -> None:
        self._written, self._scope, self._file, self._explain = written, scope, file, explain
        self._done: dict[str, Any] = {}
        self._plain: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        value = self._value(name)
        if value is OMIT:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        if name not in self._written:
            return False
        try:
            return self._value(str(name)) is not OMIT
        except NeedsHost:
            return True

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._written if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def plain(self, name: str) -> Any:
        """Return a value as it is, not made ready for our own templates."""
        self._value(name)
        return self._plain[name]

    def __repr__(self) -> str:
        return f"Mapped({', '.join(self._written)})"

    def _value(self, name: str) -> Any:
        if name not in self._done:
            try:
                made = self._scope.render(self._written[name], f"{self._file}: {name}")
            except UndefinedVariable as error:
                raise self._explain(error) from None
            self._plain[name] = made
            self._done[name] = made if made is OMIT else settled(made)
        return self._done[name]


def settled(value: Any) -> Any:
    """Return a value that our own templates give back as it is, however it looks."""
    if isinstance(value, str) and is_template(value):
        return "{{ " + json.dumps(str(value), ensure_ascii=False) + " }}"
    if isinstance(value, Mapping):
        return {str(k): settled(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [settled(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value
