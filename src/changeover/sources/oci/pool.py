"""A few threads that take the most urgent work first."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from changeover.sources.oci.patience import Stop, Stopped

GRACE = 3.0
"""Seconds a stopped run waits for its threads: to cancel what they had begun to upload."""

T = TypeVar("T")
R = TypeVar("R")
Priority = tuple[int, int]
Work = Callable[[], None]


class Pool:
    """Runs work that adds more work, until nothing is left."""

    def __init__(self, jobs: int, stop: Stop) -> None:
        self._jobs, self._stop = jobs, stop
        self._heap: list[tuple[Priority, int, Work]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._active = 0
        self._bug: BaseException | None = None

    def add(self, priority: Priority, work: Work) -> None:
        """Queue work; smaller priorities come first."""
        with self._changed:
            heapq.heappush(self._heap, (priority, next(self._count), work))
            self._changed.notify()

    def run(self) -> None:
        """Work until nothing is left; raises `Stopped`, and what no work should raise.

        Ctrl-C stops it: what threads are in the middle of they may end for a few seconds more.
        """
        threads = [
            threading.Thread(target=self._loop, name=f"images-{n}", daemon=True)
            for n in range(self._jobs)
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._end(threads)
            raise Stopped from None
        except BaseException:
            self._end(threads)
            raise
        if self._bug:
            raise self._bug
        if self._stop.is_set():
            raise Stopped

    def finished(self) -> None:
        """Work until nothing is left, for whoever cannot tell what is missing once it stopped."""
        try:
            self.run()
        except Stopped:
            raise KeyboardInterrupt from None

    def _end(self, threads: list[threading.Thread]) -> None:
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        ends = time.monotonic() + GRACE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, ends - time.monotonic()))

    def _loop(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Stopped:
                self._stop.set()
            except BaseException as e:  # noqa: BLE001 - handed to the thread that waits
                self._bug = self._bug or e
                self._stop.set()
            finally:
                with self._changed:
                    self._active -= 1
                    if self._stop.is_set() or (not self._heap and not self._active):
                        self._changed.notify_all()

    def _next(self) -> Work | None:
        with self._changed:
            while not self._stop.is_set():
                if self._heap:
                    self._active += 1
                    return heapq.heappop(self._heap)[2]
                if not self._active:
                    return None
                self._changed.wait()
            return None


def mapped(work: Callable[[T], R], items: Iterable[T], jobs: int, stop: Stop) -> list[R]:
    """Return what work makes of each item, in their order."""
    given = list(items)
    made: dict[int, R] = {}
    pool = Pool(jobs, stop)

    def one(at: int) -> None:
        made[at] = work(given[at])

    for at in range(len(given)):
        pool.add((0, 0), partial(one, at))
    pool.finished()
    return [made[at] for at in range(len(given))]
