"""Targets and sources seen together with what is known to be elsewhere."""

from __future__ import annotations

from changeover.sources.oci.closure import Closure
from changeover.sources.oci.fault import ImageFault, Missing
from changeover.sources.oci.media import Descriptor, Manifest
from changeover.sources.oci.medium import Outcome, Source, Target
from changeover.sources.oci.passage import Passage, Stream
from changeover.sources.oci.reference import is_digest

_ALONE = "was it exported --since an older release? import that one first, or export it whole"


class Since:
    """A target that is told it has already what an older release consists of."""

    def __init__(self, target: Target, known: Closure) -> None:
        self._target, self.place, self.pooled = target, target.place, target.pooled
        self._blobs = {d: b.size for d, b in known.blobs.items()}
        self._manifests = {m.digest for _, m in known.manifests}

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest of the target."""
        return self._target.manifest(name, wanted)

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob of the target."""
        return self._target.open(name, blob, offset)

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what points to a manifest at the target."""
        return self._target.referrers(name, digest)

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of the target."""
        return self._target.tags(name)

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest of what is here, or known to be elsewhere."""
        if is_digest(wanted) and wanted in self._manifests:
            return wanted
        return self._target.resolve(name, wanted)

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return the size of what is here, or known to be elsewhere."""
        return self._blobs.get(digest, self._target.blob_size(name, digest))

    def put_blob(self, name: str, blob: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Store a blob."""
        return self._target.put_blob(name, blob, nearby)

    def put_manifest(self, name: str, wanted: str, manifest: Manifest) -> None:
        """Store a manifest."""
        self._target.put_manifest(name, wanted, manifest)

    def attach(self, name: str, manifest: Manifest) -> None:
        """Make the subject of a manifest lead to it."""
        self._target.attach(name, manifest)

    def delete_blob(self, name: str, digest: str) -> bool:
        """Remove a blob."""
        return self._target.delete_blob(name, digest)

    def delete_tag(self, name: str, tag: str) -> bool:
        """Remove a tag."""
        return self._target.delete_tag(name, tag)


class Beside:
    """A source whose missing parts are in another one."""

    def __init__(self, first: Source, second: Source, name: str) -> None:
        self._first, self._second, self._name = first, second, name
        self.place = first.place

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest from where it is."""
        try:
            return self._first.manifest(name, wanted)
        except Missing as fault:
            if not is_digest(wanted):
                raise
            try:
                return self._second.manifest(self._name, wanted)
            except ImageFault:
                raise Missing(fault.message, _ALONE) from None

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob where it is."""
        try:
            return self._first.open(name, blob, offset)
        except Missing as fault:
            try:
                return self._second.open(self._name, blob, offset)
            except ImageFault:
                raise Missing(fault.message, _ALONE) from None

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what points to a manifest in the first."""
        return self._first.referrers(name, digest)

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags of the first."""
        return self._first.tags(name)
