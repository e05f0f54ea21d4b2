"""Everything an image consists of: manifests, blobs, and what is attached to it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from changeover.sources.oci.fault import Corrupt, Denied, Missing, Unsupported
from changeover.sources.oci.media import INDEXES, Descriptor, Manifest, chosen_platform
from changeover.sources.oci.medium import Source

COSIGN = (".sig", ".att", ".sbom")
DEEPEST = 8
MOST_MANIFESTS = 10_000


@dataclass
class Closure:
    """An image as it will be stored: its manifests as they are pushed, the tagged one last."""

    top: Manifest
    manifests: list[tuple[str, Manifest]] = field(default_factory=list)
    """Each with the tag or digest it is stored under."""
    blobs: dict[str, Descriptor] = field(default_factory=dict)
    attached: int = 0
    note: str = ""


class Walker:
    """Finds closures; asks each repository for its tags once."""

    def __init__(self, platform: str = "", *, attached: bool = True) -> None:
        self._platform, self._attached = platform, attached
        self._tags: dict[tuple[str, str], frozenset[str]] = {}
        self._notes: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def closure(self, source: Source, name: str, wanted: str, tag: str, expected: str) -> Closure:
        """Read all manifests of an image; raises `ImageFault`."""
        where = f"{source.place}/{name}:{wanted}" if name else f"{source.place}:{wanted}"
        top = source.manifest(name, wanted)
        if expected and top.digest != expected:
            raise Corrupt(
                f"{where}: the tag has {top.digest} now, not {expected}",
                "has it moved? correct the digest, or leave the tag out",
            )
        note = ""
        if self._platform and top.is_index:
            child = chosen_platform(self._images(source, name, top), self._platform, where)
            top = source.manifest(name, child.digest)
            note = f"names the manifest of {self._platform} alone, {top.digest}"
        found = Closure(top, note=note)
        self._descend(found, source, name, top, 0)
        found.manifests.append((tag or top.digest, top))
        found.note = "; ".join(n for n in (note, self._notes.get((source.place, name), "")) if n)
        return found

    def _images(self, source: Source, name: str, top: Manifest) -> tuple[Descriptor, ...]:
        """Return the images of an index, and of the indexes in it."""
        found, waiting, seen = [], [top], {top.digest}
        while waiting and len(seen) < MOST_MANIFESTS:
            for child in waiting.pop().children:
                if child.media_type not in INDEXES:
                    found.append(child)
                elif child.digest not in seen:
                    seen.add(child.digest)
                    waiting.append(source.manifest(name, child.digest))
        return tuple(found)

    def _descend(
        self, found: Closure, source: Source, name: str, manifest: Manifest, depth: int
    ) -> None:
        if depth > DEEPEST or len(found.manifests) > MOST_MANIFESTS:
            raise Unsupported(f"{source.place}/{name}: nested too deeply", "look at the image")
        for blob in manifest.blobs:
            if not blob.elsewhere:
                found.blobs.setdefault(blob.digest, blob)
        for child in manifest.children:
            if child.is_manifest or not child.media_type:
                self._add_child(found, source, name, child, depth)
            else:
                found.blobs.setdefault(child.digest, child)
        if self._attached:
            self._attach(found, source, name, manifest.digest, depth)

    def _add_child(
        self, found: Closure, source: Source, name: str, child: Descriptor, depth: int
    ) -> None:
        try:
            self._add(found, source, name, child.digest, depth)
        except Missing as fault:
            if not child.platform:
                raise
            raise Missing(
                f"{fault.message} (for {child.platform})",
                "copy one image of the index alone: --platform OS/ARCH",
            ) from None

    def _add(
        self, found: Closure, source: Source, name: str, digest: str, depth: int, tag: str = ""
    ) -> None:
        if any(known == (tag or digest) for known, _ in found.manifests):
            return
        manifest = source.manifest(name, digest)
        self._descend(found, source, name, manifest, depth + 1)
        found.manifests.append((tag or digest, manifest))

    def _attach(self, found: Closure, source: Source, name: str, digest: str, depth: int) -> None:
        try:
            referrers = {d.digest for d in source.referrers(name, digest)}
        except Denied:
            referrers = set()
            self._notes[source.place, name] = "its referrers may not be read: they are left out"
        tags, stem = self._listed(source, name), digest.replace(":", "-")
        if stem in tags:
            referrers |= {d.digest for d in source.manifest(name, stem).children}
        for referrer in sorted(referrers):
            try:
                self._add(found, source, name, referrer, depth)
            except Missing:
                continue  # lists of referrers outlive what they list
            found.attached += 1
        for tag in (stem + ending for ending in COSIGN if stem + ending in tags):
            self._add(found, source, name, source.manifest(name, tag).digest, depth, tag)
            found.attached += 1

    def _listed(self, source: Source, name: str) -> frozenset[str]:
        key = (source.place, name)
        with self._lock:
            if key in self._tags:
                return self._tags[key]
        try:
            tags = frozenset(t for t in source.tags(name) if t.startswith(("sha256-", "sha512-")))
        except (Denied, Unsupported, Missing):
            tags = frozenset()
            self._notes[key] = "its tags cannot be listed: signatures kept under tags are left out"
        with self._lock:
            return self._tags.setdefault(key, tags)
