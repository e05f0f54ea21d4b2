"""A registry with another one that is asked first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from changeover.sources.oci.fault import Corrupt, Denied, ImageFault, Missing, Passing
from changeover.sources.oci.media import Descriptor, Manifest
from changeover.sources.oci.medium import Shelf
from changeover.sources.oci.passage import Stream
from changeover.sources.oci.reference import is_digest

T = TypeVar("T")


class Mirrored:
    """Asks a mirror for what is known by digest, and the registry itself for the rest."""

    def __init__(self, origin: Shelf, mirror: Shelf, prefix: str) -> None:
        self.origin, self.mirror, self.place = origin, mirror, origin.place
        self._prefix = prefix

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest; tags are resolved by the registry itself where it answers."""
        if is_digest(wanted):
            return self._first(lambda s, n: s.manifest(n, wanted), name, [self.mirror, self.origin])
        return self._first(lambda s, n: s.manifest(n, wanted), name, [self.origin, self.mirror])

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob at the mirror, or where it should be."""
        return self._first(lambda s, n: s.open(n, blob, offset), name, [self.mirror, self.origin])

    pooled = False

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size at the registry itself."""
        return self.origin.blob_size(name, digest)

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what points to a manifest."""
        return self._first(lambda s, n: s.referrers(n, digest), name, [self.origin, self.mirror])

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of a repository."""
        return self._first(lambda s, n: s.tags(n), name, [self.origin, self.mirror])

    def _first(self, ask: Callable[[Shelf, str], T], name: str, order: list[Shelf]) -> T:
        first, second = order
        try:
            return ask(first, self._called(first, name))
        except (Missing, Denied, Corrupt, Passing) as fault:
            try:
                return ask(second, self._called(second, name))
            except ImageFault:
                raise fault from None

    def _called(self, source: Shelf, name: str) -> str:
        if source is self.mirror and self._prefix:
            return f"{self._prefix}/{name}"
        return name


def mirror_of(host: str, mirrors: Mapping[str, str]) -> tuple[str, str] | None:
    """Return host and prefix of the mirror of a registry, if it has one."""
    if host not in mirrors:
        return None
    address, _, prefix = mirrors[host].partition("/")
    return address, prefix
