"""The releases an instance can have, read when they are first asked for.

A run that goes on takes its releases from its own copies and needs no hub; the readers of manifests
and the search for routes are imported only where they are needed, because that takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from changeover.model.instance import Instance
from changeover.model.release import Condition, Release, Risk
from changeover.sources.packaged import packaged_guides

Holds = Callable[[Condition, str], bool]
"""Says whether a condition holds when a version is there."""


def hubs_of(instance: Instance) -> list[Path]:
    """Return the hubs an instance names, or else that of the guides that come with the tool."""
    guides = packaged_guides()
    return instance.hub_folders if instance.hubs or not guides else [guides]


@dataclass
class Hubs:
    """The hubs of an instance, for one product."""

    folders: Sequence[Path]
    product: str

    @cached_property
    def listed(self) -> Sequence[Any]:
        """All releases as their headings show them, oldest first."""
        from changeover.sources.folder import releases_of  # noqa: PLC0415 - see above

        return releases_of(self.folders, self.product)

    def called(self, name: str) -> str:
        """Return the version of the release a word means; `latest` is one."""
        from changeover.sources.folder import release_called  # noqa: PLC0415 - see above

        return release_called(self.listed, name).version

    def load(self, version: str) -> Release:
        """Read a release whole; raise `InvalidRelease` with all its problems."""
        from changeover.sources.folder import release_called  # noqa: PLC0415 - see above

        return release_called(self.listed, version).load()

    def at(self, folder: Path) -> Release:
        """Read the release in a folder."""
        from changeover.sources.folder import load_release  # noqa: PLC0415 - see above

        return load_release(folder)

    def route(self, installed: str, target: str, holds: Holds) -> list[str]:
        """Return the versions to go through; raise `NoRoute` saying what is missing."""
        from changeover.engine.route import find_route  # noqa: PLC0415 - see above

        return [release.version for release in find_route(self.listed, installed, target, holds)]

    def risks(
        self, route: Sequence[Release], installed: str, holds: Holds
    ) -> Iterator[tuple[str, Risk]]:
        """Yield every risk of a route that holds, with the version of its release."""
        from changeover.engine.route import risks_on  # noqa: PLC0415 - see above

        yield from risks_on(route, installed, holds)
