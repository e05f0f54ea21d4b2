"""References to images, as everywhere in the field.

`docker://HOST/NAME:TAG`, `HOST/NAME@sha256:…`, `oci:FOLDER:REF`, `oci-archive:FILE:REF`,
`docker-archive:FILE:REF`; a bare name means what it means to Docker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from changeover.sources.oci.fault import BadReference

HUB = "docker.io"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(f"{_PART}(?:/{_PART})*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")
HELD_KINDS = ("oci", "oci-archive", "docker-archive")
"""The kinds of places that hold images in files."""
REMEDY = "write HOST/NAME:TAG, HOST/NAME@sha256:…, oci:FOLDER:REF or docker-archive:FILE"


@dataclass(frozen=True)
class Reference:
    """One image, or a place where images are."""

    kind: str
    """`docker`, `oci`, `oci-archive` or `docker-archive`."""
    host: str = ""
    name: str = ""
    """The repository in a registry; empty where there are none."""
    tag: str = ""
    """A tag, or the name of an image in a layout or archive; empty where none was given."""
    digest: str = ""
    path: Path = Path()

    @property
    def wanted(self) -> str:
        """What to ask the source for: the digest where one is given, else the tag."""
        return self.digest or self.tag or ("latest" if self.kind == "docker" else "")

    @property
    def place(self) -> str:
        """The registry's host, or the folder or file."""
        return self.host if self.kind == "docker" else str(self.path)

    def tagged(self, tag: str) -> Reference:
        """Return the same image under another tag."""
        return replace(self, tag=tag, digest="")

    def __str__(self) -> str:
        digest = f"@{self.digest}" if self.digest else ""
        if self.kind != "docker":
            called = self.tag + digest
            return f"{self.kind}:{self.path}" + (f":{called}" if called else "")
        return f"{self.host}/{self.name}" + (f":{self.tag}" if self.tag else "") + digest


def is_digest(value: str) -> bool:
    """Tell whether a value is a digest this tool can check."""
    return _DIGEST.fullmatch(value) is not None


def is_tag(value: str) -> bool:
    """Tell whether a value is a tag; registries name whatever they like."""
    return _TAG.fullmatch(value) is not None


def parse_reference(written: str) -> Reference:
    """Read a reference; a bare one gets Docker's host, namespace and no tag.

    Raises `BadReference`.
    """
    text = written.strip()
    scheme, colon, rest = text.partition(":")
    if colon and scheme in HELD_KINDS:
        return _in_file(scheme, rest, written)
    if text.startswith("docker://"):
        text = text.removeprefix("docker://")
    elif "://" in text:
        raise BadReference(f"{written!r}: no such kind of reference", REMEDY)
    return _in_registry(text, written)


def parse_place(written: str) -> Reference:
    """Read a target: an image, or only `docker://HOST[/PREFIX]`."""
    text = written.strip().removeprefix("docker://").rstrip("/")
    if text and "/" not in text and looks_like_host(text) and _HOST.fullmatch(text):
        return Reference("docker", host=text)
    return parse_reference(written.rstrip("/"))


def looks_like_host(first: str) -> bool:
    """Tell Docker's way whether the first part of a name is a host."""
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _in_file(kind: str, rest: str, written: str) -> Reference:
    path, _, tag = rest.partition(":")
    if not path:
        raise BadReference(f"{written!r}: a folder or file is missing", REMEDY)
    name, at, digest = tag.rpartition("@")
    if at and is_digest(digest):
        return Reference(kind, tag=name, digest=digest, path=Path(path))
    return Reference(kind, tag=tag, path=Path(path))


def _in_registry(text: str, written: str) -> Reference:
    text, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise BadReference(f"{written!r}: {digest!r} is not a sha256 or sha512 digest", REMEDY)
    head, slash, last = text.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise BadReference(f"{written!r}: {tag!r} is not a tag", REMEDY)
    host, name = _split_host(head + slash + last)
    if not _HOST.fullmatch(host):
        raise BadReference(f"{written!r}: {host!r} is not a host", REMEDY)
    if not _NAME.fullmatch(name) or len(name) > 255:
        why = "names are lower case" if name != name.lower() else "not a repository name"
        raise BadReference(f"{written!r}: {name!r}: {why}", REMEDY)
    return Reference("docker", host=host, name=name, tag=tag, digest=digest)


def _split_host(path: str) -> tuple[str, str]:
    first, slash, rest = path.partition("/")
    if not slash or not looks_like_host(first):
        host, name = HUB, path
    else:
        host, name = first, rest
    if host in (HUB, "index.docker.io", "registry-1.docker.io"):
        host = HUB
        name = name if "/" in name or not name else f"library/{name}"
    return host, name
