"""Brings one blob to the target, and makes sure of it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from changeover.sources.oci.fault import Corrupt, ImageFault
from changeover.sources.oci.layout import blob_path
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.medium import Outcome, Source, Target
from changeover.sources.oci.order import Order
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget


@dataclass(frozen=True)
class Carried:
    """How a blob came to be at the target, and the bytes that took."""

    outcome: Outcome
    bytes: int = 0
    repaired: bool = False


class Carrier:
    """Knows in which repositories of the target a blob is."""

    def __init__(self, target: Target, budget: Budget, *, deep: bool) -> None:
        self._target, self._budget, self._deep = target, budget, deep
        self._known: dict[str, list[str]] = defaultdict(list)
        self._bad: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def there(self, name: str, blob: Descriptor) -> bool:
        """Tell whether a repository has a blob that can be trusted; remembers what is wrong."""
        size = self._target.blob_size(name, blob.digest)
        if size is None:
            return False
        sound = size in (-1, blob.size) and not (self._deep and self._damaged(name, blob))
        with self._lock:
            if sound:
                self._known[blob.digest].append(name)
            else:
                self._bad.add((name, blob.digest))
        return sound

    def nearby(self, name: str, digest: str) -> tuple[str, ...]:
        """Return the other repositories of the target that have a blob."""
        return tuple(n for n in self._known[digest] if n != name)

    def carry(
        self, order: Order, name: str, blob: Descriptor, moved: Callable[[int], None]
    ) -> Carried:
        """Mount or stream a blob; raises `ImageFault`. One that is damaged is replaced."""
        repair = (name, blob.digest) in self._bad
        nearby = self.nearby(name, blob.digest)
        if order.source.place == self._target.place and order.name != name:
            nearby += (order.name,)
        if repair:
            nearby = ()
            self._target.delete_blob(name, blob.digest)
        passage = self._passage(order.source, order.name, blob, moved)
        try:
            outcome = self._target.put_blob(name, passage, nearby)
        except Corrupt:
            # Bytes are damaged on the way more often than at rest: once more from the beginning.
            passage = self._passage(order.source, order.name, blob, moved)
            outcome = self._target.put_blob(name, passage, nearby)
        if repair:
            self._prove(name, blob)
        with self._lock:
            self._known[blob.digest].append(name)
        return Carried(outcome, passage.sent, repair)

    def _passage(
        self, source: Source, name: str, blob: Descriptor, moved: Callable[[int], None]
    ) -> Passage:
        where = f"{source.place}/{name}@{blob.digest}" if name else f"{source.place}: {blob.digest}"
        return Passage(blob, lambda at: source.open(name, blob, at), self._budget, moved, where)

    def _damaged(self, name: str, blob: Descriptor) -> bool:
        try:
            self._passage(self._target, name, blob, lambda _: None).drained()
        except Corrupt:
            return True
        return False

    def _prove(self, name: str, blob: Descriptor) -> None:
        """Read a repaired blob again: some registries say 201 and keep the bytes they had."""
        size = self._target.blob_size(name, blob.digest)
        if size in (-1, blob.size) and not self._damaged(name, blob):
            return
        head = blob.digest.partition(":")[2][:2]
        path = blob_path(blob.digest).replace("/sha256/", f"/sha256/{head}/")
        raise ImageFault(
            f"{self._target.place}/{name}@{blob.digest}: damaged, and the registry keeps the "
            "damaged bytes although it accepted good ones",
            f"its administrator removes {path} under docker/registry/v2 in its storage, "
            "restarts it, and you copy the image again",
        )
