"""The images of a packed release as a source of their own: their signatures are found there."""

from __future__ import annotations

from changeover.sources.oci.media import Descriptor, Manifest
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Stream
from changeover.sources.shipped import SUBJECT, TAG, Shipment


class Pictures:
    """A place with a packed release, asked for one of its images."""

    def __init__(self, source: Source, shipment: Shipment) -> None:
        self._source, self._attached = source, shipment.attached
        self.place = source.place
        self._by_tag = {
            d.annotations[TAG]: d.digest for d in shipment.attached if TAG in d.annotations
        }

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest; the tags of signatures are known to the release alone."""
        return self._source.manifest(name, self._by_tag.get(wanted, wanted))

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob."""
        return self._source.open(name, blob, offset)

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what travels with the release and points to a manifest."""
        return tuple(
            d
            for d in self._attached
            if d.annotations.get(SUBJECT) == digest and TAG not in d.annotations
        )

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of the signatures that travel with the release."""
        return tuple(self._by_tag)
