"""Manifests, indexes and descriptors, by the OCI specifications and Docker's schema 2."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from changeover.sources.oci.fault import Corrupt, Unsupported
from changeover.sources.oci.reference import is_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = (OCI_INDEX, DOCKER_LIST)
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT)
ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_BLOB = 1 << 50
REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: its type, digest and size in bytes."""

    media_type: str
    digest: str
    size: int
    platform: str = ""
    """`os/architecture[/variant]` in an index; empty where none is given."""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    elsewhere: bool = False
    """Its layer is kept at another place by licence and is not distributed."""

    @property
    def is_manifest(self) -> bool:
        """Tell whether it points to a manifest or an index."""
        return self.media_type in INDEXES or self.media_type in MANIFESTS

    def document(self) -> dict[str, Any]:
        """Return the descriptor as it stands in JSON."""
        found: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        if self.platform:
            names = ("os", "architecture", "variant")
            found["platform"] = dict(zip(names, self.platform.split("/"), strict=False))
        return found


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: its bytes are kept as they came."""

    body: bytes = field(repr=False)
    media_type: str
    digest: str
    children: tuple[Descriptor, ...] = ()
    """Manifests an index points to."""
    blobs: tuple[Descriptor, ...] = ()
    """The configuration and the layers."""
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Tell whether it points to manifests rather than to layers."""
        return self.media_type in INDEXES

    @property
    def descriptor(self) -> Descriptor:
        """Return the pointer to this manifest."""
        return Descriptor(
            self.media_type,
            self.digest,
            len(self.body),
            artifact_type=self.artifact_type,
            annotations=self.annotations,
        )


def digest_of(content: bytes, like: str = "sha256:") -> str:
    """Return the digest of bytes, with the algorithm of another digest."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def parse_manifest(body: bytes, where: str, media_type: str = "", wanted: str = "") -> Manifest:
    """Read a manifest, checking it against the digest it was asked by.

    Raises `Corrupt` where it is not what was asked for, `Unsupported` for formats nobody should
    carry any more.
    """
    if len(body) > LARGEST_MANIFEST:
        raise Unsupported(f"{where}: manifest of more than 4 MiB", "it is not an image; look at it")
    digest = digest_of(body, wanted or "sha256:")
    if wanted and digest != wanted:
        raise Corrupt(f"{where}: manifest has {digest}, not {wanted}", "copy the image again")
    tree = _tree(body, where)
    kind = _kind(tree, media_type, where)
    try:
        return _read(tree, body, kind, digest)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise Corrupt(f"{where}: manifest: {e}", "push the image again") from None


def _tree(body: bytes, where: str) -> dict[str, Any]:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        tree = None
    if not isinstance(tree, dict):
        raise Corrupt(f"{where}: manifest is not JSON", "does a proxy answer for the registry?")
    if _HALF.search(body) and not _is_text(tree):
        raise Corrupt(f"{where}: manifest has characters that are none", "push the image again")
    return tree


def _is_text(tree: object) -> bool:
    """Tell whether what JSON can escape can also be written: half a character cannot."""
    try:
        return bool(canonical(tree))
    except UnicodeEncodeError:
        return False


def _kind(tree: dict[str, Any], media_type: str, where: str) -> str:
    kind = tree.get("mediaType") or media_type.partition(";")[0].strip()
    if tree.get("schemaVersion") == 1 or "signatures" in tree:
        raise Unsupported(
            f"{where}: Docker schema 1, which has no digests for its layers",
            "pull and push it once with a current Docker, then copy that",
        )
    if kind in INDEXES or kind in MANIFESTS:
        return str(kind)
    if isinstance(tree.get("manifests"), list):
        return OCI_INDEX
    if isinstance(tree.get("layers"), list) and "config" in tree:
        return OCI_MANIFEST
    said = ascii(str(kind))[1:-1][:80] if kind else "no media type"
    raise Unsupported(f"{where}: {said}: not an image", "check the reference")


def _read(tree: dict[str, Any], body: bytes, kind: str, digest: str) -> Manifest:
    blobs: list[Descriptor] = []
    if kind not in INDEXES:
        layers = tree.get("layers") or tree.get("blobs") or []
        parts = ([tree["config"]] if "config" in tree else []) + layers
        blobs = [_descriptor(d) for d in parts]
    children = [_descriptor(d) for d in tree.get("manifests") or []] if kind in INDEXES else []
    subject = tree.get("subject")
    config_type = (tree.get("config") or {}).get("mediaType", "") if kind == OCI_MANIFEST else ""
    return Manifest(
        body,
        kind,
        digest,
        children=tuple(children),
        blobs=tuple(blobs),
        subject=_descriptor(subject) if subject else None,
        artifact_type=str(tree.get("artifactType") or config_type),
        annotations={str(k): str(v) for k, v in (tree.get("annotations") or {}).items()},
    )


def _descriptor(tree: dict[str, Any]) -> Descriptor:
    digest, size = tree["digest"], tree["size"]
    if not isinstance(digest, str) or not is_digest(digest):
        raise ValueError(f"{digest!r} is not a digest")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST_BLOB:
        raise ValueError(f"{size!r} is not a size")
    platform = tree.get("platform") or {}
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    kind = str(tree.get("mediaType") or "")
    return Descriptor(
        kind,
        digest,
        size,
        platform="/".join(str(p) for p in parts if p and str(p).isprintable()),
        artifact_type=str(tree.get("artifactType") or ""),
        annotations={str(k): str(v) for k, v in (tree.get("annotations") or {}).items()},
        elsewhere=bool(tree.get("urls")) and ("foreign" in kind or "nondistributable" in kind),
    )


def canonical(tree: object) -> bytes:
    """Return JSON in the one form this tool writes, so that equal content has equal digests."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def index_body(children: tuple[Descriptor, ...], annotations: Mapping[str, str] = {}) -> bytes:
    """Return an OCI index of these manifests."""
    tree: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [c.document() for c in children],
    }
    if annotations:
        tree["annotations"] = dict(annotations)
    return canonical(tree)


def chosen_platform(children: tuple[Descriptor, ...], platform: str, where: str) -> Descriptor:
    """Return the manifest of an index for one platform such as `linux/amd64` or `linux/arm/v7`.

    Raises `Unsupported`, naming the platforms there are.
    """
    wanted = _plain(platform)
    alike = [c for c in children if _plain(c.platform) == wanted]
    below = [c for c in children if c.platform.startswith(wanted + "/")]
    chosen = [c for c in children if c.platform == platform] or alike or below
    if chosen:
        return chosen[0]
    known = sorted({c.platform for c in children if c.platform and "unknown" not in c.platform})
    names = ", ".join(known) or "none"
    raise Unsupported(f"{where}: no image for {platform}", f"there is: {names}")


_ALIKE = {"x86_64": "amd64", "aarch64": "arm64", "arm64/v8": "arm64", "amd64/v1": "amd64"}


def _plain(platform: str) -> str:
    """Return a platform as most write it: `aarch64` and `linux/arm64/v8` are `linux/arm64`."""
    system, slash, machine = platform.partition("/")
    if not slash:
        system, machine = "linux", platform
    return f"{system}/{_ALIKE.get(machine, machine)}"
