"""Copies images: each blob is asked for, then mounted or streamed; each image ends by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from changeover.sources.oci.carrier import Carried, Carrier
from changeover.sources.oci.closure import Closure, Walker
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.medium import Outcome, Target
from changeover.sources.oci.order import ImageResult, Observer, Order, Status, Summary, distinct
from changeover.sources.oci.patience import Budget, Stopped
from changeover.sources.oci.pool import Pool

JOBS = 6
_FIRST, _SOON, _THEN = 0, 1, 2
_CHANGED = (Status.COPIED, Status.PLANNED)


@dataclass(frozen=True)
class Options:
    """How a copy goes about it."""

    jobs: int = JOBS
    """Requests at a time to the target, and so to each source."""
    platform: str = ""
    attached: bool = True
    """Take signatures, attestations and other referrers along."""
    deep: bool = False
    """Read and hash what is at the target before it is trusted."""
    dry_run: bool = False
    budget: Budget = field(default_factory=Budget)


@dataclass
class _Image:
    order: Order
    result: ImageResult
    closure: Closure | None = None
    old: str | None = None
    """The digest its tag had at the target."""
    waits_for: int = 0
    ended: bool = False


@dataclass
class _Blob:
    blob: Descriptor
    name: str
    images: list[_Image]
    """Those that wait for it; the first one is charged for its bytes."""
    outcome: Outcome | None = None
    fault: ImageFault | None = None


class Copier:
    """One copy to one target."""

    def __init__(self, target: Target, options: Options, observer: Observer | None = None) -> None:
        self._target, self._options = target, options
        self._observer = observer or Observer()
        self._walker = Walker(options.platform, attached=options.attached)
        self._carrier = Carrier(target, options.budget, deep=options.deep)
        self._pool = Pool(options.jobs, options.budget.stop)
        self._lock = threading.Lock()
        self._blobs: dict[tuple[str, str], _Blob] = {}
        self._carrying: dict[str, list[Callable[[], None]]] = {}
        self._planned: set[str] = set()
        self._images: list[_Image] = []

    def run(self, orders: Iterable[Order]) -> Summary:
        """Copy everything there is; what fails is in the summary. Raises `BadReference`."""
        began, ended = time.monotonic(), False
        images = self._images = [_Image(o, _empty(o)) for o in distinct(orders)]
        for image in images:
            self._pool.add((_FIRST, 0), partial(self._guarded, image, self._resolve))
        try:
            self._pool.run()
        except Stopped:
            ended = True
            stopped = ImageFault("stopped before it was done", "run it again: it goes on there")
            for image in images:
                self._fail(image, stopped)
        return Summary(tuple(i.result for i in images), time.monotonic() - began, ended)

    def brought(self) -> list[Descriptor]:
        """Return the blobs of all images that were, or would be, new or changed; each once."""
        changed = [i for i in self._images if i.closure and i.result.status in _CHANGED]
        return list(
            {d: b for i in changed if i.closure for d, b in i.closure.blobs.items()}.values()
        )

    def _guarded(self, image: _Image, work: Callable[[_Image], None]) -> None:
        try:
            work(image)
        except ImageFault as fault:
            self._fail(image, fault)

    def _resolve(self, image: _Image) -> None:
        order = image.order
        closure = self._walker.closure(
            order.source, order.name, order.wanted, order.target_tag, order.expected
        )
        old = self._target.resolve(order.target_name, closure.manifests[-1][0])
        image.closure, image.old = closure, old
        image.result = replace(
            image.result,
            digest=closure.top.digest,
            attached=closure.attached,
            note=closure.note,
            overwrote=old if old and old != closure.top.digest else "",
            status=Status.UNCHANGED if old == closure.top.digest else Status.COPIED,
        )
        fresh = self._register(image, closure)
        for blob in fresh:
            self._pool.add((_SOON, 0), partial(self._blob_step, blob, self._check))
        self._release(image)

    def _register(self, image: _Image, closure: Closure) -> list[_Blob]:
        name = "" if self._target.pooled else image.order.target_name
        fresh = []
        fault: ImageFault | None = None
        with self._lock:
            image.waits_for = 1  # for its own registration, so that it cannot end before that
            for digest, descriptor in closure.blobs.items():
                blob = self._blobs.get((name, digest))
                if blob is None:
                    blob = self._blobs[name, digest] = _Blob(descriptor, name, [])
                    fresh.append(blob)
                fault = fault or blob.fault
                if blob.outcome is None:
                    image.waits_for += 1
                    blob.images.append(image)
                else:
                    image.result = replace(image.result, there=image.result.there + 1)
        if fault:
            self._fail(image, fault)
        return fresh

    def _blob_step(self, blob: _Blob, work: Callable[[_Blob], None]) -> None:
        try:
            work(blob)
        except ImageFault as fault:
            with self._lock:
                blob.fault = fault
                images = list(blob.images)
            for image in images:
                self._fail(image, fault)

    def _check(self, blob: _Blob) -> None:
        if self._carrier.there(blob.name, blob.blob):
            self._settle(blob, Carried(Outcome.THERE))
        elif self._options.dry_run:
            self._plan(blob)
        else:
            self._observer.wanted(blob.images[0].order, blob.blob.size)
            carry = partial(self._blob_step, blob, self._carry)
            self._pool.add((_THEN, -blob.blob.size), carry)

    def _plan(self, blob: _Blob) -> None:
        digest = blob.blob.digest
        with self._lock:
            mountable = digest in self._planned or bool(self._carrier.nearby(blob.name, digest))
            self._planned.add(digest)
        count = 0 if mountable else blob.blob.size
        self._settle(blob, Carried(Outcome.MOUNTED if mountable else Outcome.SENT, count))

    def _carry(self, blob: _Blob) -> None:
        digest = blob.blob.digest
        with self._lock:
            if digest in self._carrying:
                # Somebody brings it to another repository just now: mount it from there then.
                again = partial(self._blob_step, blob, self._carry)
                self._carrying[digest].append(again)
                return
            self._carrying[digest] = []
        try:
            self._settle(blob, self._carried(blob))
        finally:
            with self._lock:
                waiting = self._carrying.pop(digest)
            for work in waiting:
                self._pool.add((_SOON, 0), work)

    def _carried(self, blob: _Blob) -> Carried:
        first = blob.images[0].order
        origins = {(i.order.source.place, i.order.name): i.order for i in blob.images}
        fault: ImageFault | None = None
        for order in origins.values():
            try:
                return self._carrier.carry(
                    order, blob.name, blob.blob, lambda n: self._observer.moved(first, n)
                )
            except ImageFault as e:
                fault = fault or e
        raise fault or ImageFault(f"{blob.blob.digest}: nobody has it")

    def _settle(self, blob: _Blob, carried: Carried) -> None:
        with self._lock:
            blob.outcome = carried.outcome
            images = list(blob.images)
            for image in images:
                image.result = _counted(image.result, carried, first=image is images[0])
        for image in images:
            self._release(image)

    def _release(self, image: _Image) -> None:
        with self._lock:
            image.waits_for -= 1
            ready = image.waits_for == 0 and not image.ended
        if ready:
            self._pool.add((_SOON, 0), partial(self._guarded, image, self._finish))

    def _finish(self, image: _Image) -> None:
        closure, name = image.closure, image.order.target_name
        if closure is None:
            return
        if not self._options.dry_run:
            self._store(image, closure, name)
        elif image.result.status is Status.COPIED:
            image.result = replace(image.result, status=Status.PLANNED)
        self._end(image, image.result)

    def _store(self, image: _Image, closure: Closure, name: str) -> None:
        for wanted, manifest in closure.manifests:
            here = image.old if manifest is closure.top else self._target.resolve(name, wanted)
            if here != manifest.digest:
                self._target.put_manifest(name, wanted, manifest)
                if image.result.status is Status.UNCHANGED:
                    image.result = replace(image.result, status=Status.COPIED)
            if manifest.subject:
                self._target.attach(name, manifest)

    def _fail(self, image: _Image, fault: ImageFault) -> None:
        failed = replace(
            image.result, status=Status.FAILED, error=fault.message, remedy=fault.remedy
        )
        self._end(image, failed)

    def _end(self, image: _Image, result: ImageResult) -> None:
        with self._lock:
            if image.ended:
                return
            image.ended, image.result = True, result
        self._observer.ended(result)


def _counted(result: ImageResult, carried: Carried, *, first: bool) -> ImageResult:
    if carried.outcome is Outcome.THERE or not first:
        return replace(result, there=result.there + 1)
    changed = Status.COPIED if result.status is Status.UNCHANGED else result.status
    mounted = carried.outcome is Outcome.MOUNTED
    return replace(
        result,
        status=changed,
        bytes=result.bytes + carried.bytes,
        sent=result.sent + (not mounted),
        mounted=result.mounted + mounted,
        repaired=result.repaired + carried.repaired,
    )


def _empty(order: Order) -> ImageResult:
    return ImageResult(order.shown, order.shown_target, Status.COPIED)
