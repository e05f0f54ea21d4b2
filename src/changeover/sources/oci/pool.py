"""A few threads that take the most urgent work first."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable

from changeover.sources.oci.patience import Stopped

Priority = tuple[int, int]
Work = Callable[[], None]


class Pool:
    """Runs work that adds more work, until nothing is left."""

    def __init__(self, jobs: int, stop: threading.Event) -> None:
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
        """Work until nothing is left; raises `Stopped`, and what no work should raise."""
        threads = [
            threading.Thread(target=self._loop, name=f"images-{n}", daemon=True)
            for n in range(self._jobs)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self._stop.set()
            with self._changed:
                self._changed.notify_all()
            for thread in threads:
                thread.join()
            raise
        if self._bug:
            raise self._bug
        if self._stop.is_set():
            raise Stopped

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
