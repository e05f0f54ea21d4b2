"""A packed release with more signatures: its index alone changes."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from changeover.sources.oci.media import Descriptor, Manifest
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Stream
from changeover.sources.oci.reference import is_digest
from changeover.sources.shipped import Shipment, signed_again


class Resigned:
    """The source of a release, with another index."""

    def __init__(
        self, source: Source, shipment: Shipment, keys: Sequence[Ed25519PrivateKey]
    ) -> None:
        self._source, self.place = source, source.place
        self._index = signed_again(shipment, keys)

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return the new index, or a manifest as it was."""
        if not is_digest(wanted) or wanted == self._index.digest:
            return self._index
        return self._source.manifest(name, wanted)

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob as it was."""
        return self._source.open(name, blob, offset)

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what points to a manifest."""
        return self._source.referrers(name, digest)

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags there are."""
        return self._source.tags(name)
