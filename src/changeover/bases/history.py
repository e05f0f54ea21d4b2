"""The history of a file in git: etckeeper's of /etc, or any other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from changeover.bases.trace import Found, Place
from changeover.tools import git_history
from changeover.tools.git_history import Version
from changeover.tools.texts import parse_texts


class History:
    """The contents a file had, as far as they were committed."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def with_digest(self, digest: str) -> Iterator[Found]:
        """Yield the content that has an MD5, if one has."""
        for version in self._versions:
            if version.digest == digest:
                yield from self._read(version)

    def first(self) -> Found | None:
        """Return the content as it was committed first: the one before any edit, most likely."""
        return next(self._read(self._versions[-1]), None) if self._versions else None

    def _read(self, version: Version) -> Iterator[Found]:
        asked = git_history.content(self.place.path, version.blob)
        origin = f"git {version.commit} of {version.date}"
        for _, text in parse_texts(self.place.host.ask(asked).stdout):
            yield Found(text, origin, pristine=False)

    @cached_property
    def _versions(self) -> tuple[Version, ...]:
        said = self.place.host.ask(git_history.versions(self.place.path)).stdout
        return git_history.parse_versions(said)
