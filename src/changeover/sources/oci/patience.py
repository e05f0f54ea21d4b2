"""How long to go on trying: back-off within a budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from changeover.sources.oci.fault import Passing

T = TypeVar("T")


class Stopped(Exception):
    """The operator asked to stop."""


class Stop(threading.Event):
    """Set once, by whoever wants everything to end; tells those who would not notice."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[Callable[[], None]] = []

    def tell(self, work: Callable[[], None]) -> None:
        """Do this when it is set: a thread that waits for the network looks at nothing else."""
        self._told.append(work)

    def set(self) -> None:
        """Make everything end; whoever ends something afterwards is not disturbed again."""
        told, self._told = self._told, []
        super().set()
        for work in told:
            work()


@dataclass(frozen=True)
class Budget:
    """How often and for how many seconds one transfer may be tried again without getting on."""

    attempts: int = 8
    seconds: float = 120.0
    first_delay: float = 0.2
    longest_delay: float = 15.0
    stop: Stop = field(default_factory=Stop)
    """Set to make every waiting and every transfer end."""

    def tries(self, work: Callable[[], T]) -> T:
        """Do it until it works or the budget is spent; raises the last `Passing`."""
        patience = Patience(self)
        while True:
            try:
                return work()
            except Passing as fault:
                patience.wait(fault)


class Patience:
    """What is left of a budget for one piece of work."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.got_on()

    def got_on(self) -> None:
        """Begin a new budget: bytes have moved since the last fault."""
        self._tried = 0
        self._ends = time.monotonic() + self._budget.seconds

    def wait(self, fault: Passing) -> None:
        """Sleep before the next attempt; raises the fault where the budget is spent."""
        import random  # noqa: PLC0415 - nothing waits where nothing fails

        self._tried += 1
        budget = self._budget
        longest = min(budget.first_delay * 2 ** (self._tried - 1), budget.longest_delay)
        delay = longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        if fault.retry_after is not None:
            delay = max(delay, fault.retry_after)
        if self._tried >= budget.attempts or time.monotonic() + delay > self._ends:
            raise fault
        if budget.stop.wait(delay):
            raise Stopped from fault
