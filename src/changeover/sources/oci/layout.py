"""An OCI image layout, in a folder or in one tar, as a source of images."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from changeover.sources.oci.fault import Corrupt, Missing, Unsupported
from changeover.sources.oci.media import (
    LARGEST_MANIFEST,
    REF_NAME,
    Descriptor,
    Manifest,
    parse_manifest,
)
from changeover.sources.oci.passage import Stream
from changeover.sources.oci.reference import is_digest
from changeover.sources.oci.tree import Tree, read_small

LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}'
_WHOLE_NAME = "io.containerd.image.name"


def blob_path(digest: str) -> str:
    """Return where a layout keeps a blob."""
    return "blobs/" + digest.replace(":", "/", 1)


def joined(name: str, tag: str) -> str:
    """Return what an image of a repository is called in a layout; `@DIGEST` stands for a tag."""
    if tag.startswith("@"):
        return name + tag
    return f"{name}:{tag}" if name else tag


def split(called: str) -> tuple[str, str]:
    """Return repository and tag of an image in a layout; only a tag where there is no path."""
    name, at, digest = called.rpartition("@")
    if at and is_digest(digest):
        return name, at + digest
    name, colon, tag = called.rpartition(":")
    if colon and "/" not in tag:
        return name, tag
    return "", called


class Layout:
    """Images in a layout, found by their names in its index."""

    pooled = True

    def __init__(self, tree: Tree) -> None:
        self.tree, self.place = tree, tree.place
        self._index: Manifest | None = None
        self._lock = threading.Lock()

    def index(self) -> Manifest:
        """Return `index.json`; raises `Missing`, `Corrupt`."""
        with self._lock:
            if self._index is None:
                self._check_version()
                body = read_small(self.tree, "index.json", LARGEST_MANIFEST)
                self._index = parse_manifest(body, f"{self.place}: index.json", _OCI_INDEX)
            return self._index

    def named(self) -> dict[str, Descriptor]:
        """Return the images that have a name."""
        return {name_of(d): d for d in self.index().children if named(d)}

    def names(self) -> tuple[str, ...]:
        """Return the names of its images, without the tags that signatures are kept under."""
        return tuple(n for n in sorted(self.named()) if not split(n)[1].startswith("sha256-"))

    def unnamed(self) -> tuple[str, ...]:
        """Return the digests of its images that have no name."""
        known = {d.digest for n, d in self.named().items() if len(self._called(n)) == 1}
        images = (d for d in self.index().children if named(d) or not d.artifact_type)
        return tuple(dict.fromkeys(d.digest for d in images if d.digest not in known))

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest by name, digest, or, where nothing is wanted, the only one."""
        digest, media_type = wanted, ""
        if not is_digest(wanted):
            found = self._found(name, wanted)
            digest, media_type = found.digest, found.media_type
        where = f"{self.place}: {joined(name, wanted)}"
        return parse_manifest(
            read_small(self.tree, blob_path(digest), LARGEST_MANIFEST), where, media_type, digest
        )

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob at an offset; raises `Missing`, and `Corrupt` where its size is wrong."""
        path = blob_path(blob.digest)
        size = self.tree.size(path)
        if size is not None and size != blob.size:
            raise Corrupt(
                f"{self.place}: {path}: {size} bytes instead of {blob.size}",
                "the layout is damaged: make it again",
            )
        return self.tree.open(path, offset)

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size; none where it is not."""
        return self.tree.size(blob_path(digest))

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest a name or digest has here; none where it is not."""
        if is_digest(wanted):
            return wanted if self.tree.size(blob_path(wanted)) is not None else None
        found = self.named().get(joined(name, wanted))
        present = found and self.tree.size(blob_path(found.digest)) is not None
        return found.digest if found and present else None

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return the manifests in the index whose subject this is."""
        unnamed = [d for d in self.index().children if not named(d) and d.artifact_type]
        return tuple(d for d in unnamed if self._subject(d) == digest)

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags there are of a repository."""
        pairs = (split(called) for called in self.named())
        return tuple(tag for found, tag in pairs if found == name)

    def _subject(self, descriptor: Descriptor) -> str:
        subject = self.manifest("", descriptor.digest).subject
        return subject.digest if subject else ""

    def _found(self, name: str, wanted: str) -> Descriptor:
        children = [d for d in self.index().children if named(d) or not d.artifact_type]
        if not wanted and len(children) == 1:
            return children[0]
        called = joined(name, wanted)
        found = self._called(called)
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise Corrupt(
                f"{self.place}: {called} is the name of {len(found)} images",
                "name one by its digest: " + ", ".join(f"@{digest}" for digest in sorted(found)),
            )
        known = ", ".join(sorted(self.named())[:8]) or "none with a name"
        if not wanted:
            raise Missing(f"{self.place}: several images: {known}", "name one: oci:FOLDER:REF")
        raise Missing(f"{self.place}: no image {called}", f"there is: {known}")

    def _called(self, name: str) -> dict[str, Descriptor]:
        """Return what has a name, by digest: whole names first, then bare tags."""
        children = self.index().children
        found = [d for d in children if name_of(d) == name]
        found = found or [d for d in children if name and d.annotations.get(REF_NAME) == name]
        return {d.digest: d for d in found}

    def _check_version(self) -> None:
        if self.tree.size("oci-layout") is None and self.tree.size("manifest.json") is not None:
            raise Unsupported(
                f"{self.place}: what docker save wrote, no OCI layout",
                "name it docker-archive:FILE",
            )
        body = read_small(self.tree, "oci-layout", 4096)
        try:
            version: Any = json.loads(body).get("imageLayoutVersion")
        except (ValueError, AttributeError, RecursionError):
            version = None
        if version != "1.0.0":
            said = ascii(str(version))[1:-1][:40]
            raise Unsupported(f"{self.place}: oci-layout: version {said}", "1.0.0 is known")


_OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def named(descriptor: Descriptor) -> bool:
    """Tell whether an entry of an index has a name."""
    return bool(name_of(descriptor))


def name_of(descriptor: Descriptor) -> str:
    """Return the name of an entry of an index; empty where it has none.

    Docker and containerd write a tag alone there, which several images may share, and the whole
    name beside it.
    """
    name = descriptor.annotations.get(REF_NAME, "")
    whole = descriptor.annotations.get(_WHOLE_NAME, "")
    found = whole if whole and not re.search("[/:@]", name) else name
    return found if found.isprintable() else ""
