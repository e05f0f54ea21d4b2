"""The one door to all finders: the base of a file on a host, the surest there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.bases.base import Base
from changeover.bases.record import recorded_base
from changeover.bases.search import Search
from changeover.bases.trace import Place
from changeover.hosts.host import Host
from changeover.merge.pending import OURS, THEIRS
from changeover.tools import leftover
from changeover.tools.texts import parse_texts


@dataclass(frozen=True)
class Known:
    """What the caller knows of a file besides its host."""

    references: Mapping[str, bytes] = field(default_factory=dict)
    """The references of known releases, by a name for people (`shop 2.0.0`)."""
    installed: str = ""
    """Which of them belongs to the installed release."""
    ours: bytes | None = None
    """The edited text, where it is not the one at the path (`.rpmsave`)."""
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
    return recorded_base(host, path) or _released(known) or searched_base(host, path, known)


def _released(known: Known) -> Base | None:
    if known.installed not in known.references:
        return None
    return Base(known.references[known.installed], f"the reference of {known.installed}")


def searched_base(host: Host, path: str, known: Known) -> Base | None:
    """Return a base nobody recorded and no release has: from packages, histories, likeness."""
    ours = known.ours if known.ours is not None else host.read(path)
    if ours is None:
        return None
    asked = leftover.beside(path, (*THEIRS, *OURS))
    beside = dict(parse_texts(host.ask(asked).stdout))
    refused = [text for ending, text in beside.items() if ending in THEIRS]
    refused += [known.theirs] if known.theirs is not None else []
    place = Place(host, path, known.download)
    return Search(place, ours, tuple(refused), beside, known.format).base(known.references)
