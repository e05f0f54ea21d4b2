"""How a copy shows itself: bars on a terminal, one line per image otherwise."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

import click

from changeover.cli.images.lines import result_lines
from changeover.cli.screen import harmless
from changeover.sources.oci.order import ImageResult, Observer, Order, Status


@contextlib.contextmanager
def observer_for(output: str, images: int) -> Iterator[Observer]:
    """Give the observer for this output: silent for JSON and YAML."""
    if output != "text":
        yield Observer()
    elif sys.stderr.isatty() and sys.stdout.isatty():
        bars = Bars(images)
        with bars:
            yield bars
    else:
        yield Lines()


class Lines(Observer):
    """One line per image, when it is done; failures are listed at the end."""

    def ended(self, result: ImageResult) -> None:
        """Print the image's line."""
        if result.status is not Status.FAILED:
            click.echo("\n".join(result_lines(result)))


class Bars(Observer):
    """Bytes, rate and time left, in all and for each image on its way."""

    def __init__(self, images: int) -> None:
        # Only here: rich takes longer to import than a copy with nothing to do.
        from rich.console import Console  # noqa: PLC0415 - slow, terminals only
        from rich.progress import (  # noqa: PLC0415 - slow, terminals only
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._progress: Any = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            refresh_per_second=8,
            transient=True,
            # Bars move the cursor, which nothing else on the screen may.
            console=Console(file=sys.__stdout__),
        )
        self._images, self._done = images, 0
        self._lock = threading.Lock()
        self._tasks: dict[str, Any] = {}
        self._all = self._progress.add_task(self._title(), total=0)

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def wanted(self, order: Order, size: int) -> None:
        """Add to what is to come."""
        with self._lock:
            self._grow(self._all, size)
            if order.shown not in self._tasks:
                task = self._progress.add_task(f"  {harmless(order.shown[-60:])}", total=0)
                self._tasks[order.shown] = task
            self._grow(self._tasks[order.shown], size)

    def moved(self, order: Order, count: int) -> None:
        """Move the bars."""
        self._progress.advance(self._all, count)
        task = self._tasks.get(order.shown)
        if task is not None:
            self._progress.advance(task, count)

    def ended(self, result: ImageResult) -> None:
        """Print the image's line above the bars."""
        with self._lock:
            self._done += 1
            self._progress.update(self._all, description=self._title())
            task = self._tasks.pop(result.source, None)
        if task is not None:
            self._progress.remove_task(task)
        if result.status is not Status.FAILED:
            for line in result_lines(result):
                shown = harmless(line)
                self._progress.console.print(shown, markup=False, highlight=False, soft_wrap=True)

    def _title(self) -> str:
        return f"{self._done}/{self._images} images"

    def _grow(self, task: Any, size: int) -> None:
        total = self._progress.tasks[self._progress.task_ids.index(task)].total or 0
        self._progress.update(task, total=total + size)
