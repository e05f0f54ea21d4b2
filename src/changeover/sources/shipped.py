"""A release as it travels: an OCI index that names its files and images, signed over all of them.

Its annotations carry the envelope, so that nothing but this one document of at most 4 MiB is read
before the signature has been verified.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from changeover.errors import InvalidRelease
from changeover.sources.bundle import bundle_files
from changeover.sources.heading import read_heading
from changeover.sources.manifest_build import MANIFEST
from changeover.sources.oci.closure import COSIGN, Closure
from changeover.sources.oci.fault import Missing
from changeover.sources.oci.media import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    Manifest,
    canonical,
    digest_of,
    index_body,
    parse_manifest,
)
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Stream
from changeover.sources.oci.reference import is_digest
from changeover.sources.oci.stream import Bytes
from changeover.sources.oci.tree import FolderTree
from changeover.sources.signature import PublicKey, sign, verify

ARTIFACT = "application/vnd.changeover.release.v1"
FILE = "application/vnd.changeover.file.v1"
TITLE = "org.opencontainers.image.title"
MODE = "changeover.mode"
PRODUCT, VERSION, ENVELOPE = "changeover.product", "changeover.version", "changeover.envelope"
SUBJECT, TAG = "changeover.subject", "changeover.tag"
"""Of a signature that travels with an image: the image's digest, and its tag where it has one."""
_EMPTY = b"{}"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~:-]{0,127}")
"""A product or a version: both become folders of a hub, and name nothing outside it."""
_MAKE = "changeover release pack makes one"


@dataclass(frozen=True)
class Shipment:
    """The index of a release: what it is, what it consists of, who signed it."""

    manifest: Manifest
    product: str
    version: str
    release: Descriptor
    """Its files."""
    images: tuple[Descriptor, ...]
    attached: tuple[Descriptor, ...] = ()
    """Signatures and attestations of the images."""
    envelope: str = field(default="", repr=False)

    @property
    def payload(self) -> bytes:
        """What is signed: the name of the release and the digests of all it consists of."""
        return _payload(self.product, self.version, self.manifest.children)

    def verified(self, trusted: Sequence[PublicKey], where: str) -> list[str]:
        """Return who signed exactly this; raises `Untrusted`."""
        payload, names = verify(self.envelope, trusted, where)
        if payload != self.payload:
            raise InvalidRelease(
                f"{where}: the signature is of something else",
                "fetch the release again; if it stays so, tell the vendor",
            )
        return names


def read_shipment(source: Source, name: str, tag: str, where: str) -> Shipment:
    """Read the index of a release, and nothing else; raises `InvalidRelease`, `Missing`."""
    index = source.manifest(name, tag)
    releases = [d for d in index.children if d.artifact_type == ARTIFACT]
    product, version = index.annotations.get(PRODUCT, ""), index.annotations.get(VERSION, "")
    named = _NAME.fullmatch(product) and _NAME.fullmatch(version)
    if not index.is_index or len(releases) != 1 or not named:
        raise InvalidRelease(
            f"{where}: is not a packed release", "changeover release pack makes one"
        )
    others = [d for d in index.children if d is not releases[0]]
    images = tuple(d for d in others if SUBJECT not in d.annotations)
    attached = tuple(d for d in others if SUBJECT in d.annotations)
    envelope = index.annotations.get(ENVELOPE, "")
    return Shipment(index, product, version, releases[0], images, attached, envelope)


def tag_of(version: str) -> str:
    """Return a version as a tag: registries allow no plus sign there."""
    return version.replace("+", "_")


@dataclass(frozen=True)
class Pictured:
    """An image that travels with a release."""

    called: str
    source: Source
    name: str
    closure: Closure


class Packed:
    """A release folder, and the images that go with it, as a source to copy from."""

    def __init__(
        self, folder: Path, images: Sequence[Pictured], keys: Sequence[Ed25519PrivateKey]
    ) -> None:
        heading, _ = read_heading(folder / MANIFEST)
        self.product, self.version = heading.product, heading.version
        self.place = str(folder)
        self._tree = FolderTree(folder)
        self._paths: dict[str, str] = {}
        self._small = {digest_of(_EMPTY): _EMPTY}
        self._elsewhere: dict[str, Pictured] = {}
        self._manifests: dict[str, Manifest] = {}
        release = self._files(folder)
        children = [release, *(self._image(i) for i in images)]
        children += dict.fromkeys(a for i in images for a in _attached(i.closure))
        self.root = self._root(tuple(children), keys)

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return the index, the manifest of the files, or one of an image's."""
        if not is_digest(wanted) or wanted == self.root.digest:
            return self.root
        if wanted in self._manifests:
            return self._manifests[wanted]
        raise Missing(f"{self.place}: {wanted}: not part of the release")

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a file, or a blob of an image where it comes from."""
        if blob.digest in self._paths:
            return self._tree.open(self._paths[blob.digest], offset)
        if blob.digest in self._small:
            return Bytes(self._small[blob.digest], offset)
        if blob.digest in self._elsewhere:
            image = self._elsewhere[blob.digest]
            return image.source.open(image.name, blob, offset)
        raise Missing(f"{self.place}: {blob.digest}: not part of the release")

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return nothing: a release is signed within."""
        return ()

    def tags(self, name: str) -> tuple[str, ...]:
        """Return its version."""
        return (tag_of(self.version),)

    def _files(self, folder: Path) -> Descriptor:
        layers = []
        for path, file in bundle_files(folder):
            content = file.read_bytes()
            digest = digest_of(content)
            self._paths[digest] = path
            notes = {TITLE: path} | ({MODE: "0755"} if file.stat().st_mode & 0o100 else {})
            layers.append(Descriptor(FILE, digest, len(content), annotations=notes))
        tree = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": ARTIFACT,
            "config": Descriptor(OCI_EMPTY, digest_of(_EMPTY), len(_EMPTY)).document(),
            "layers": [layer.document() for layer in layers],
        }
        manifest = parse_manifest(canonical(tree), self.place)
        self._manifests[manifest.digest] = manifest
        return Descriptor(OCI_MANIFEST, manifest.digest, len(manifest.body), artifact_type=ARTIFACT)

    def _image(self, image: Pictured) -> Descriptor:
        top = image.closure.top
        for _, manifest in image.closure.manifests:
            self._manifests[manifest.digest] = manifest
        for digest in image.closure.blobs:
            self._elsewhere[digest] = image
        notes = {REF_NAME: image.called}
        return Descriptor(top.media_type, top.digest, len(top.body), annotations=notes)

    def _root(
        self, children: tuple[Descriptor, ...], keys: Sequence[Ed25519PrivateKey]
    ) -> Manifest:
        notes = {PRODUCT: self.product, VERSION: self.version}
        if keys:
            notes[ENVELOPE] = sign(_payload(self.product, self.version, children), keys)
        return parse_manifest(index_body(children, notes), self.place, OCI_INDEX)


def _attached(closure: Closure) -> Iterator[Descriptor]:
    """Yield what belongs to an image without being part of it: it leads back to it."""
    top = closure.top
    for wanted, manifest in closure.manifests:
        cosign = wanted.endswith(COSIGN) and wanted.startswith(top.digest.partition(":")[0])
        if manifest is top or not (manifest.subject or cosign):
            continue
        subject = manifest.subject.digest if manifest.subject else digest_in(wanted)
        notes = {SUBJECT: subject} | ({TAG: wanted} if cosign else {})
        yield Descriptor(
            manifest.media_type,
            manifest.digest,
            len(manifest.body),
            artifact_type=manifest.artifact_type,
            annotations=notes,
        )


def digest_in(tag: str) -> str:
    """Return the digest a cosign tag such as `sha256-abc.sig` is about."""
    return tag.partition(".")[0].replace("-", ":", 1)


def signed_again(shipment: Shipment, keys: Sequence[Ed25519PrivateKey]) -> Manifest:
    """Return the index with more signatures; those of other keys are kept."""
    notes = dict(shipment.manifest.annotations)
    notes[ENVELOPE] = sign(shipment.payload, keys, shipment.envelope)
    return parse_manifest(index_body(shipment.manifest.children, notes), shipment.product)


def _payload(product: str, version: str, children: Sequence[Descriptor]) -> bytes:
    parts = [c.document() for c in children]
    tree = {"product": product, "version": version, "manifests": parts}
    return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()
