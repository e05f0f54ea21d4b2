"""Templates rendered on trial, with values that stand for those only an instance has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path
from typing import Any

from changeover.errors import ChangeoverError
from changeover.model.config import Config
from changeover.sources.bundle import bundle_bytes, bundle_text, is_rendered
from changeover.sources.scope import SCOPE
from changeover.sources.template import is_template, rendered, rendered_file


@dataclass(frozen=True)
class StandIn:
    """Any value: a number as text, a table with everything in it, a list of two; true or false."""

    truth: bool
    numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False, compare=False)
    number: int = 1

    def _another(self) -> StandIn:
        # No two are alike, or lists of them would say the same setting twice.
        return StandIn(self.truth, self.numbers, next(self.numbers))

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._another()

    def __getitem__(self, key: object) -> StandIn:
        return self._another()

    def __call__(self, *_given: Any, **_named: Any) -> StandIn:
        """Return another one, whatever is asked."""
        return self._another()

    def __add__(self, other: object) -> StandIn:
        return self._another()

    __radd__ = __sub__ = __mul__ = __add__

    def __iter__(self) -> Iterator[StandIn]:
        return iter((self._another(), self._another()) if self.truth else ())

    def __contains__(self, item: object) -> bool:
        return self.truth

    def __len__(self) -> int:
        return 2 if self.truth else 0

    def __bool__(self) -> bool:
        return self.truth

    def __int__(self) -> int:
        return self.number

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True)
class Variant:
    """A reference as some instances get it."""

    file: str
    text: bytes
    tried: bool
    """Whether it was rendered with values that stand for others."""


def variants(
    folder: Path, config: Config, methods: Sequence[str], editions: Sequence[str]
) -> list[Variant]:
    """Return a reference for every method and edition; what cannot be tried is left out."""
    found: dict[bytes, Variant] = {}
    for method, edition, truth in product(methods or ("",), editions or ("",), (True, False)):
        names: dict[str, Any] = {name: StandIn(truth) for name in SCOPE}
        names["instance"] = {
            "method": method, "edition": edition, "name": "trial", "folder": "/trial",
            "modules": {}, "features": [], "language": "en", "vault_passwords": [],
        }  # fmt: skip
        try:
            one = _variant(folder, config.variant(config.reference, method), names)
        except (ChangeoverError, ArithmeticError, TypeError, ValueError):
            continue
        found.setdefault(one.text, one)
    return list(found.values())


def _variant(folder: Path, file: str, names: Mapping[str, Any]) -> Variant:
    name = str(rendered(file, names)) if is_template(file) else file
    if not is_rendered("reference", name):
        return Variant(name, bundle_bytes(folder, name), tried=False)
    text = rendered_file(bundle_text(folder, name), names, name, lambda n: bundle_text(folder, n))
    return Variant(name, text.encode(), tried=True)
