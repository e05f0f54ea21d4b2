"""What a run may ask of the person who started it, and what that person may ask of the run."""

from __future__ import annotations

import enum
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from changeover.engine.store import Store
from changeover.errors import ChangeoverError
from changeover.model.events import GateReached
from changeover.model.state import step_id

INTERRUPTED = 130
"""Exit code of a process that was told twice to stop."""


class Decision(enum.StrEnum):
    """What to do about a step that failed."""

    RETRY = "retry"
    SKIP = "skip"
    UNDO = "undo"
    ABORT = "abort"
    STOP = "stop"
    """Leave everything as it stands; `resume` tries the step again."""


@dataclass(frozen=True)
class Answer:
    """A decision, who took it and why."""

    decision: Decision
    by: str
    reason: str = ""


class Operator(Protocol):
    """Whoever answers: a person at a terminal, or the options of the command."""

    name: str

    def opens(self, gate: GateReached) -> str | None:
        """Return why the gate may open, or None to leave it closed."""

    def settles(self, key: str, doubt: str) -> bool | None:
        """Say whether a step in doubt happened, or None where nobody knows."""

    def decides(self, key: str, error: ChangeoverError) -> Answer:
        """Say what to do about a step that failed."""


@dataclass
class Unattended:
    """Answers as the options of the command said beforehand."""

    name: str
    on_failure: Decision = Decision.STOP
    approved: frozenset[str] = frozenset()
    """Keys or ids of steps whose gates may open; `all` opens approvals, never drift or loss."""
    retries: dict[str, int] = field(default_factory=dict)

    def opens(self, gate: GateReached) -> str | None:
        """Open what was approved by name."""
        if {gate.key, step_id(gate.key)} & self.approved:
            return "approved beforehand by name"
        if gate.kind == "approval" and "all" in self.approved:
            return "all approvals given beforehand"
        return None

    def settles(self, key: str, doubt: str) -> bool | None:
        """Nobody is there to know."""
        return None

    def decides(self, key: str, error: ChangeoverError) -> Answer:
        """Do as the option says; a retry is done once."""
        if self.on_failure is Decision.RETRY:
            self.retries[key] = self.retries.get(key, 0) + 1
            if self.retries[key] > 1:
                return Answer(Decision.STOP, self.name, "retried once already")
        return Answer(self.on_failure, self.name, f"--on-failure {self.on_failure}")


class Stopped(ChangeoverError):
    """The run stopped between two steps because somebody asked."""

    exit_code = 7


@dataclass
class Controls:
    """Requests that reach a running process: from Ctrl-C, or left in the store by others."""

    store: Store
    run: str
    interrupted: bool = False
    noticed: Callable[[], None] = lambda: None
    """Called at the first interrupt, within the signal's handler."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the first Ctrl-C (or TERM) stop the run after its current step."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self._interrupt) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, _number: int, _frame: object) -> None:
        if self.interrupted:
            # Nothing is lost by dying here: `resume` finds again what still runs on the hosts.
            os._exit(INTERRUPTED)
        self.interrupted = True
        self.noticed()

    def heed(self) -> tuple[str, dict[str, str]] | None:
        """Return a request to pause or abort, if one came in."""
        if self.interrupted:
            self.interrupted = False
            return "pause", {"by": "Ctrl-C", "reason": "interrupted"}
        return self.store.asked(self.run)
