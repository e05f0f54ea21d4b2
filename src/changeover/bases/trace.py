"""What a host's programs remember of a file: digests of what was delivered, and texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from changeover.hosts.host import Host


@dataclass(frozen=True)
class Mark:
    """The digest of a text a package delivered at a path."""

    digest: str
    origin: str
    """Which package, in which version."""


@dataclass(frozen=True)
class Found:
    """A text that may be the base."""

    text: bytes
    origin: str
    pristine: bool = True
    """Whether a package delivered it; otherwise only a digest can prove that."""


class Trace(Protocol):
    """One program's memory of one file."""

    @property
    def latest(self) -> Mark | None:
        """How the file was delivered last."""

    @property
    def earlier(self) -> tuple[Mark, ...]:
        """How it was delivered before, the newest first, as far as that is known."""

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that were installed before, as far as that is known."""

    def texts(self, *, of_latest: bool) -> Iterator[Found]:
        """Yield texts, the cheapest first: of the latest delivery, or of those before."""


@dataclass(frozen=True)
class Place:
    """A file on a host, and what may be done to find its base."""

    host: Host
    path: str
    download: bool = False
    """Whether the host may fetch packages from its repositories."""


def matches(text: bytes, digest: str) -> bool:
    """Return whether a text has a digest: MD5 or one of the SHA family, by its length."""
    algorithm = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
    name = algorithm.get(len(digest))
    if name is None:
        return False
    return hashlib.new(name, text, usedforsecurity=False).hexdigest() == digest.lower()
