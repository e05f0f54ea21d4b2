"""What a copy needs of a place images come from, and of one they go to."""

from __future__ import annotations

import enum
from typing import Protocol

from changeover.sources.oci.media import Descriptor, Manifest
from changeover.sources.oci.passage import Passage, Stream


class Outcome(enum.StrEnum):
    """How a blob got to its target."""

    SENT = "sent"
    MOUNTED = "mounted"
    THERE = "there"


class Source(Protocol):
    """A registry, a layout or an archive to read from."""

    place: str
    """Shown in messages; equal places share their blobs."""

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return the manifest of a tag or digest; raises `Missing`."""

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob at an offset; raises `Missing`."""

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what points to a manifest as its subject."""

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of a repository, or the names in a layout."""


class Shelf(Source, Protocol):
    """A place that says what it has."""

    pooled: bool
    """Whether a blob belongs to the whole place rather than to a repository."""

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size; none where it is not, -1 where nobody says."""


class Stock(Shelf, Protocol):
    """A layout or an archive: it can say all that it holds."""

    def names(self) -> tuple[str, ...]:
        """Return the names of its images; what is attached to them has none."""

    def unnamed(self) -> tuple[str, ...]:
        """Return the digests of its images that have no name."""


class Target(Shelf, Protocol):
    """A registry or a layout to write to."""

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest a tag or digest has here; none where it is not."""

    def put_blob(self, name: str, blob: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Store a blob, from another repository of this place where that is possible."""

    def put_manifest(self, name: str, wanted: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest."""

    def attach(self, name: str, manifest: Manifest) -> None:
        """Make sure that the subject of a manifest leads to it."""

    def delete_blob(self, name: str, digest: str) -> bool:
        """Remove a blob; false where the place does not allow it."""

    def delete_tag(self, name: str, tag: str) -> bool:
        """Remove a tag alone; false where the place cannot."""
