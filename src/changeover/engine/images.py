"""Which images of a release an instance needs: by its edition, its modules, its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from changeover.engine.condition import Circumstances, holds
from changeover.engine.render import Scope
from changeover.model.instance import Instance
from changeover.model.release import Release


class Needed(Mapping[str, Any]):
    """Name of an image -> its reference, decided when somebody asks: `release.images`."""

    _path = "release.images"

    def __init__(self, release: Release, circumstances: Circumstances) -> None:
        self._release, self._circumstances = release, circumstances
        self._chosen: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        return self._known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __repr__(self) -> str:
        return f"{self._path}({', '.join(i.name for i in self._release.images)})"

    def _known(self) -> dict[str, str]:
        if self._chosen is None:
            edition = self._circumstances.instance.edition
            self._chosen = {
                image.name: image.for_edition(edition)
                for image in self._release.images
                if image.for_edition(edition) and holds(image.when, self._circumstances)
            }
        return self._chosen


def with_images(scope: Scope, instance: Instance, release: Release, installed: str) -> Scope:
    """Let templates say `release.images`: those this instance needs, name to reference."""
    circumstances = Circumstances(instance, scope, installed)
    own = scope.names["release"]
    scope.names["release"] = own.with_value("images", Needed(release, circumstances))
    return scope
