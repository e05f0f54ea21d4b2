"""What a file says twice, and what it names without defining it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from changeover.loads.defect import Defect
from changeover.loads.selection import require_path, said, selected

ACTION = "data.load"


@dataclass(frozen=True)
class Reference:
    """Values that must be defined: by the file, by the database, or among those given."""

    of: str
    """Path of the values: `datasets[].params.organization_siret`."""
    to: tuple[str, ...] = ()
    """Paths of what defines them: [`organizations[].params.siret`]."""
    present: str = ""
    """SQL that gives one column: values the database has already."""
    among: tuple[str, ...] = ()
    """Values that are defined elsewhere."""
    only: Mapping[str, str] = field(default_factory=dict)
    """Only of items with these values, by path within the item: {params.password: __env__}."""
    unless: str = ""
    """SQL that gives values for which it does not matter, such as accounts that are there."""
    what: str = "nothing defines it"
    """What is wrong otherwise."""
    remedy: str = ""
    """What to do then."""

    def __post_init__(self) -> None:
        for path in (self.of, *self.to, *self.only):
            require_path(ACTION, path)

    def defects(self, value: Any, known: Iterable[str], spared: Iterable[str]) -> Iterator[Defect]:
        """Yield every value that nothing defines; `known` and `spared` come from the database."""
        defined = {str(found) for path in self.to for _, found in selected(value, path)}
        defined |= {*known, *self.among, *spared}
        for place, found in self._concerned(value):
            if str(found) not in defined:
                yield Defect(place, f"{said(place)}: {found}: {self.what}", self.remedy)

    def _concerned(self, value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
        items, _, within = self.of.partition("[].")
        for at, item in selected(value, f"{items}[]"):
            if all(self._holds(item, path, wanted) for path, wanted in self.only.items()):
                yield from selected(item, within, at)

    @staticmethod
    def _holds(item: Any, path: str, wanted: str) -> bool:
        return any(found == wanted for _, found in selected(item, path))


def twice(value: Any, path: str) -> Iterator[Defect]:
    """Yield every value of a path that stands a second time."""
    seen: dict[str, Any] = {}
    for place, found in selected(value, path):
        first = seen.setdefault(str(found), place)
        if first != place:
            yield Defect(place, f"{said(place)}: {found} stands at {said(first)} already")
