"""The one door to all finders: the base of a file on a host, the surest there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.bases.base import Base, guessed
from changeover.bases.record import recorded_base
from changeover.hosts.host import Host
from changeover.merge.guess import guess_base


@dataclass(frozen=True)
class Known:
    """What the caller knows of a file besides its host."""

    references: Mapping[str, bytes] = field(default_factory=dict)
    """The references of known releases, by a name for people (`shop 2.0.0`)."""
    installed: str = ""
    """Which of them belongs to the installed release."""
    theirs: bytes | None = None
    """The new reference: what equals it is not what an edited file was made from."""
    format: str | None = None
    download: bool = False
    """Whether the host may fetch an old package from its repositories."""


def find_base(host: Host, path: str, known: Known | None = None) -> Base | None:
    """Return the base of a file: recorded, released, packaged, or the most similar; or none.

    Only reads the host. A result that is not `sure` has to be approved by somebody.
    """
    known = known or Known()
    recorded = recorded_base(host, path)
    if recorded is not None:
        return recorded
    if known.installed in known.references:
        return Base(known.references[known.installed], f"the reference of {known.installed}")
    return _most_similar(host, path, known)


def _most_similar(host: Host, path: str, known: Known) -> Base | None:
    ours = host.read(path)
    others = {name: text for name, text in known.references.items() if text != known.theirs}
    found = guess_base(ours, others, name=path) if ours is not None and others else None
    return guessed(others[found.reference], found.reference, found.distance) if found else None
