"""What is to be copied, what became of it, and who is told on the way."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.medium import Source


@dataclass(frozen=True)
class Order:
    """One image, from where and to where."""

    source: Source
    name: str
    """The repository at the source; empty in layouts and archives without one."""
    wanted: str
    """A tag or a digest."""
    target_name: str
    target_tag: str
    """Empty to keep the image by its digest alone."""
    shown: str
    """How the operator wrote the source."""
    shown_target: str
    expected: str = ""
    """The digest a tag must have: `name:tag@digest`."""


class Status(enum.StrEnum):
    """What became of an image."""

    COPIED = "copied"
    UNCHANGED = "unchanged"
    PLANNED = "planned"
    FAILED = "failed"


@dataclass(frozen=True)
class ImageResult:
    """The end of one order; counts are blobs, `bytes` those sent or, when planned, to send."""

    source: str
    target: str
    status: Status
    digest: str = ""
    bytes: int = 0
    sent: int = 0
    mounted: int = 0
    there: int = 0
    repaired: int = 0
    attached: int = 0
    """Signatures, attestations and other manifests that belong to it."""
    overwrote: str = ""
    """The digest its tag had at the target."""
    note: str = ""
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Summary:
    """The end of a copy."""

    images: tuple[ImageResult, ...]
    seconds: float
    stopped: bool = False
    """Whether somebody ended it before it was done."""

    @property
    def failed(self) -> tuple[ImageResult, ...]:
        """The images that are missing at the target."""
        return tuple(i for i in self.images if i.status is Status.FAILED)

    @property
    def bytes(self) -> int:
        """Bytes sent, or to send."""
        return sum(i.bytes for i in self.images)


class Observer:
    """Is told how a copy goes; every method may be called from any thread."""

    def wanted(self, order: Order, size: int) -> None:
        """Tell that this many bytes must be sent for an image."""

    def moved(self, order: Order, count: int) -> None:
        """Tell that bytes were sent for an image."""

    def ended(self, result: ImageResult) -> None:
        """Tell what became of an image."""


def distinct(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return the orders once each; raises `BadReference` for two sources of one target."""
    seen: dict[tuple[str, str], Order] = {}
    kept = []
    for order in orders:
        key = (order.target_name, order.target_tag or order.wanted)
        first = seen.setdefault(key, order)
        if first is order:
            kept.append(order)
        elif (first.source.place, first.name, first.wanted) != (
            order.source.place,
            order.name,
            order.wanted,
        ):
            raise BadReference(
                f"{order.shown_target}: both {first.shown} and {order.shown} would be copied there",
                "give them targets of their own, or take one out",
            )
    return tuple(kept)
