"""What a host's templates see: its variables by precedence, and Ansible's own names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances import given
from changeover.instances.ansible.jinja import (
    GLOBALS,
    OMIT,
    Style,
    UndefinedVariable,
    is_template,
    rendered,
)
from changeover.instances.ansible.lookups import Lookups
from changeover.instances.ansible.varfile import Opener, Sealed, Unsafe
from changeover.instances.ansible.vault import VaultLocked, is_vault
from changeover.instances.given import Facts
from changeover.model.release import Where

DEEPEST = 60
"""Variables that refer to variables that refer to variables."""

FACTS = frozenset({"ansible_facts", *(f"ansible_{name}" for name in given.FACTS)})
"""Names only the host can tell."""


class NeedsHost(InvalidInput):
    """A value depends on what only a host can tell, and nobody may be asked now."""


@dataclass(frozen=True)
class Layer:
    """Variables from one place; later layers count more."""

    named: str
    values: Mapping[str, Any] = field(repr=False)
    places: Mapping[str, Where] = field(default_factory=dict)
    secret: bool = False
    """Everything here is to be masked."""


@dataclass(frozen=True)
class Around:
    """What scopes of one environment share."""

    unseal: Opener
    facts: Facts
    """What hosts say of themselves."""
    folder: Path
    """Where lookups of files begin."""
    learn: Callable[[str], None]
    """Told every value that came out of a vault."""
    locked: bool = False
    """Whether files that nobody can open are passed over."""


class Scope(Mapping[str, Any]):
    """The variables of one host, each rendered when it is asked for. Raises `InvalidInput`."""

    def __init__(
        self, host: str, layers: list[Layer], magic: Mapping[str, Any], around: Around, style: Style
    ) -> None:
        self.host, self.layers, self.style = host, layers, style
        self._magic, self._around = magic, around
        self._winners = {name: layer for layer in layers for name in layer.values}
        self._done: dict[str, Any] = {}
        self._open: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name in self._done:
            return self._done[name]
        if name in self._magic:
            return self._magic[name]
        if name in self._winners:
            return self._resolved(name)
        if name in FACTS:
            return self._fact(name)
        return self._own(name)

    def __contains__(self, name: object) -> bool:
        return name in self._winners or name in self._magic

    def __iter__(self) -> Iterator[str]:
        return iter(self._winners)

    def __len__(self) -> int:
        return len(self._winners)

    def __repr__(self) -> str:
        return f"Scope({self.host})"

    def written(self, name: str) -> Any:
        """Return a variable as it is written; None where nothing defines it."""
        layer = self._winners.get(name)
        return layer.values[name] if layer else None

    def place(self, name: str) -> Where | None:
        """Return where a variable is written, as far as it is known."""
        layer = self._winners.get(name)
        return layer.places.get(name, Where(layer.named)) if layer else None

    def is_secret(self, name: str) -> bool:
        """Say whether a variable comes from a place of secrets."""
        layer = self._winners.get(name)
        return layer is not None and (layer.secret or isinstance(self.written(name), Sealed))

    def render(self, value: Any, where: str = "") -> Any:
        """Render all templates inside a value; `where` begins errors."""
        try:
            return self._value(value)
        except UndefinedVariable as error:
            said = f"{where}: {error.message}" if where else error.message
            raise UndefinedVariable(error.name, said, error.remedy) from None
        except NeedsHost:
            raise
        except InvalidInput as error:
            said = f"{where}: {error.message}" if where else error.message
            kind = VaultLocked if isinstance(error, VaultLocked) else InvalidInstance
            raise kind(said, error.remedy) from None

    def _resolved(self, name: str) -> Any:
        if name in self._open or len(self._open) > DEEPEST:
            way = " -> ".join((*self._open, name))
            raise InvalidInstance(
                f"variables refer to each other for ever: {way}", "cut the circle"
            )
        self._open.append(name)
        try:
            place = self.place(name)
            self._done[name] = self.render(
                self.written(name), f"{place}: {name}" if place else name
            )
            return self._done[name]
        finally:
            self._open.pop()

    def _value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            plain = self._around.unseal(value.text.encode(), value.where).decode("utf-8", "replace")
            self._around.learn(plain)
            # Ansible takes a value under `!vault` as it is, whatever looks like a template in it.
            return plain
        if isinstance(value, Unsafe):
            return str(value)
        if isinstance(value, str):
            return rendered(value, self, self.style, self.written) if is_template(value) else value
        if isinstance(value, Mapping):
            pairs = {k: self._value(v) for k, v in value.items()}
            return {k: v for k, v in pairs.items() if v is not OMIT}
        if isinstance(value, list | tuple):
            return [made for item in value if (made := self._value(item)) is not OMIT]
        return value

    def _fact(self, name: str) -> Any:
        facts = self._around.facts.of(self.host)
        if facts is None:
            raise NeedsHost(f"{name}: only {self.host} itself can tell", "leave out --offline")
        return facts[name]

    def _own(self, name: str) -> Any:
        if name == "vars":
            return self
        if name in ("lookup", "query", "q"):
            found = Lookups(self, self._around.folder, self._opened)
            return found.lookup if name == "lookup" else found.query
        if name == "omit":
            return OMIT
        return GLOBALS[name]

    def _opened(self, content: bytes, where: str) -> bytes:
        if not is_vault(content):
            return content
        plain = self._around.unseal(content, where)
        self._around.learn(plain.decode("utf-8", "replace"))
        return plain
