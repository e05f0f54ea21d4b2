"""A `docker save` archive as a source: its manifests are generated, the same ones every time."""

from __future__ import annotations

import hashlib
import json
import posixpath
from dataclasses import dataclass
from typing import Any

from changeover.errors import ChangeoverError
from changeover.sources.oci.fault import Corrupt, Missing, Unsupported
from changeover.sources.oci.media import (
    LARGEST_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    canonical,
    digest_of,
    parse_manifest,
)
from changeover.sources.oci.passage import Stream
from changeover.sources.oci.reference import is_digest, parse_reference
from changeover.sources.oci.tree import read_small
from changeover.sources.oci.tree_tar import TarTree
from changeover.sources.oci.wire import BUFFER

_COMPRESSION = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}


@dataclass(frozen=True)
class _Image:
    manifest: Manifest
    names: tuple[str, ...]


class DockerArchive:
    """The images of one archive, named `HOST/NAME:TAG` as Docker understands their tags."""

    pooled = True

    def __init__(self, tree: TarTree) -> None:
        self.tree, self.place = tree, tree.place
        self._paths: dict[str, str] = {}
        self._images: list[_Image] | None = None

    def names(self) -> tuple[str, ...]:
        """Return the names of all images in it."""
        return tuple(n for image in self._read() for n in image.names)

    def unnamed(self) -> tuple[str, ...]:
        """Return the digests of the images that have no name."""
        bare = (image.manifest.digest for image in self._read() if not image.names)
        return tuple(dict.fromkeys(bare))

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return the manifest of a name or digest, or of the only image."""
        called = f"{name}:{wanted}" if name else wanted
        images = self._read()
        if not called and len(images) == 1:
            return images[0].manifest
        for image in images:
            if wanted == image.manifest.digest or _full(called) in image.names:
                return image.manifest
        if not images:
            raise Missing(f"{self.place}: no image in it", "save the images again")
        known = ", ".join(self.names()[:8]) or "one image without a name"
        what = f"no image {called}" if called else "several images, and none was named"
        raise Missing(f"{self.place}: {what}", f"there is: {known}")

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a configuration or a layer at an offset."""
        self._read()
        if blob.digest not in self._paths:
            raise Missing(f"{self.place}: {blob.digest}: not there", "save the image again")
        return self.tree.open(self._paths[blob.digest], offset)

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return the size of a configuration or a layer; none where it is not."""
        self._read()
        return self.tree.size(self._paths[digest]) if digest in self._paths else None

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return nothing: such archives keep no signatures."""
        return ()

    def tags(self, name: str) -> tuple[str, ...]:
        """Return the tags there are of a repository."""
        return tuple(n.rpartition(":")[2] for n in self.names() if n.rpartition(":")[0] == name)

    def _read(self) -> list[_Image]:
        if self._images is None:
            self._images = [self._image(entry) for entry in self._entries()]
        return self._images

    def _entries(self) -> list[dict[str, Any]]:
        if self.tree.size("manifest.json") is None:
            self._refuse()
        body = read_small(self.tree, "manifest.json", LARGEST_MANIFEST)
        try:
            tree = json.loads(body)
        except (ValueError, RecursionError):
            tree = None
        if not isinstance(tree, list) or not all(isinstance(e, dict) for e in tree):
            raise Corrupt(f"{self.place}: manifest.json: not a list of images", "save them again")
        return tree

    def _refuse(self) -> None:
        if self.tree.size("oci-layout") is not None:
            raise Unsupported(
                f"{self.place}: an OCI layout, not what docker save wrote",
                f"name it oci-archive:{self.place}",
            )
        if self.tree.size("repositories") is not None:
            raise Unsupported(
                f"{self.place}: saved by a Docker older than 1.10, without a manifest.json",
                "docker load it once, and save the images again",
            )

    def _image(self, entry: dict[str, Any]) -> _Image:
        try:
            config = read_small(self.tree, self._path(str(entry["Config"])), LARGEST_MANIFEST)
            # An image of nothing but settings has no layers: null, or not said at all.
            diff_ids = (json.loads(config).get("rootfs") or {}).get("diff_ids") or []
            paths = [self._path(str(p)) for p in entry.get("Layers") or []]
            if len(diff_ids) != len(paths) or not all(is_digest(str(d)) for d in diff_ids):
                raise ValueError("layers and their ids do not match")
            layers = [self._layer(p, str(d)) for p, d in zip(paths, diff_ids, strict=True)]
            tags = (str(tag) for tag in entry.get("RepoTags") or [])
            names = tuple(_full(tag) for tag in tags if _names(tag))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            raise Corrupt(f"{self.place}: manifest.json: {e}", "save the images again") from None
        digest = digest_of(config)
        self._paths[digest] = self._path(str(entry["Config"]))
        body = canonical(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": Descriptor(OCI_CONFIG, digest, len(config)).document(),
                "layers": [layer.document() for layer in layers],
            }
        )
        return _Image(parse_manifest(body, self.place), names)

    def _layer(self, path: str, diff_id: str) -> Descriptor:
        size = self.tree.size(path)
        if size is None:
            raise Corrupt(f"{self.place}: {path}: not there", "save the images again")
        suffix = _COMPRESSION.get(self._head(path), "")
        digest = self._hashed(path) if suffix else diff_id
        self._paths[digest] = path
        return Descriptor(OCI_LAYER + suffix, digest, size)

    def _head(self, path: str) -> bytes:
        view = memoryview(bytearray(2))
        stream = self.tree.open(path)
        return bytes(view[: stream.readinto(view)])

    def _hashed(self, path: str) -> str:
        found, view = hashlib.sha256(), memoryview(bytearray(BUFFER))
        stream = self.tree.open(path)
        while count := stream.readinto(view):
            found.update(view[:count])
        return f"sha256:{found.hexdigest()}"

    def _path(self, path: str) -> str:
        """Follow the links older archives have between equal layers."""
        for _ in range(8):
            self.tree.members()
            if path not in self.tree.links:
                break
            link = posixpath.join(posixpath.dirname(path), self.tree.links[path])
            path = posixpath.normpath(link).lstrip("/")
        return path


def _names(tag: str) -> bool:
    return "<none>" not in tag and tag.isprintable()


def _full(name: str) -> str:
    try:
        reference = parse_reference(name)
    except ChangeoverError:
        return name
    return f"{reference.host}/{reference.name}:{reference.tag or 'latest'}"
