"""Is an image there, whole and sound? Present and of the right size; deep: read and hashed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from changeover.sources.oci.closure import Walker
from changeover.sources.oci.fault import ImageFault, Missing
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.medium import Shelf
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.pool import Pool


@dataclass(frozen=True)
class Asked:
    """An image to verify."""

    place: Shelf
    name: str
    wanted: str
    shown: str
    expected: str = ""


@dataclass(frozen=True)
class Verdict:
    """What was found out about an image."""

    image: str
    digest: str = ""
    blobs: int = 0
    bytes: int = 0
    faults: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def sound(self) -> bool:
        """Tell whether nothing is wrong with it."""
        return not self.faults


class Verifier:
    """Verifies images; each blob of a repository is looked at once."""

    def __init__(
        self, *, deep: bool, jobs: int, platform: str = "", budget: Budget | None = None
    ) -> None:
        self._deep, self._budget = deep, budget or Budget()
        self._walker = Walker(platform)
        self._jobs = jobs
        self._found: dict[tuple[str, str, str], str] = {}
        self._lock = threading.Lock()

    def run(self, images: list[Asked], ended: Callable[[Verdict], None]) -> list[Verdict]:
        """Verify all of them; the verdicts come back in the order they were asked for."""
        pool = Pool(self._jobs, self._budget.stop)
        blobs: list[dict[str, Descriptor]] = [{} for _ in images]
        digests = [""] * len(images)
        faults: list[list[ImageFault]] = [[] for _ in images]

        def walk(at: int) -> None:
            image = images[at]
            try:
                closure = self._walker.closure(
                    image.place, image.name, image.wanted, "", image.expected
                )
            except ImageFault as fault:
                faults[at].append(fault)
                return
            digests[at], blobs[at] = closure.top.digest, closure.blobs
            for blob in closure.blobs.values():
                pool.add((1, -blob.size), partial(look, at, blob))

        def look(at: int, blob: Descriptor) -> None:
            fault = self._fault(images[at], blob)
            if fault:
                with self._lock:
                    faults[at].append(fault)

        for at in range(len(images)):
            pool.add((0, 0), partial(walk, at))
        pool.finished()
        verdicts = [
            _verdict(images[n], digests[n], blobs[n], faults[n]) for n in range(len(images))
        ]
        for verdict in verdicts:
            ended(verdict)
        return verdicts

    def _fault(self, image: Asked, blob: Descriptor) -> ImageFault | None:
        key = (image.place.place, "" if image.place.pooled else image.name, blob.digest)
        with self._lock:
            if key in self._found:
                why = self._found[key]
                return ImageFault(why, _REMEDY) if why else None
        try:
            why = self._looked_at(image, blob)
        except ImageFault as fault:
            why = fault.message
        with self._lock:
            self._found[key] = why
        return ImageFault(why, _REMEDY) if why else None

    def _looked_at(self, image: Asked, blob: Descriptor) -> str:
        where = f"{image.place.place}/{image.name}@{blob.digest}"
        size = image.place.blob_size(image.name, blob.digest)
        if size is None:
            raise Missing(f"{where}: not there")
        if size not in (-1, blob.size):
            return f"{where}: {size} bytes instead of {blob.size}"
        if self._deep:
            opener = partial(image.place.open, image.name, blob)
            Passage(blob, opener, self._budget, where=where).drained()
        return ""


_REMEDY = "copy it there again: changeover images copy --deep SOURCE TARGET replaces damaged blobs"


def _verdict(
    image: Asked, digest: str, blobs: dict[str, Descriptor], faults: list[ImageFault]
) -> Verdict:
    return Verdict(
        image.shown,
        digest,
        len(blobs),
        sum(b.size for b in blobs.values()),
        tuple(sorted({f.message for f in faults})),
        faults[0].remedy if faults else "",
    )
