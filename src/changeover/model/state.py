"""The state of a run, computed from its journal and from nothing else."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from changeover.model import events as ev
from changeover.model.plan import Change, Mode

UNDO_PREFIX = f"{Mode.UNDO.value}:"


class Status(enum.StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    STARTED = "started"
    FAILED = "failed"
    IN_DOUBT = "in doubt"
    DONE = "done"
    SKIPPED = "skipped"
    UNDONE = "undone"

    @property
    def settled(self) -> bool:
        """Whether a run may pass over the step."""
        return self in (Status.DONE, Status.SKIPPED)


class Stage(enum.StrEnum):
    """Where a run stands as a whole."""

    OPEN = "open"
    PAUSED = "paused"
    FAILED = "failed"
    WAITING = "waiting"
    UNDOING = "undoing"
    DONE = "done"
    UNDONE = "undone"
    ABORTED = "aborted"
    FINALIZED = "finalized"

    @property
    def ended(self) -> bool:
        """Whether nothing is left for `resume`."""
        return self in (Stage.DONE, Stage.UNDONE, Stage.ABORTED, Stage.FINALIZED)


@dataclass
class RunState:
    """What is known about a run: fold its entries with `take`."""

    run: str = ""
    stage: Stage = Stage.OPEN
    started: ev.RunStarted | None = None
    started_at: str = ""
    last_at: str = ""
    hops: dict[str, str] = field(default_factory=dict)
    """Version -> digest of the plan made at its boundary."""
    undo: ev.UndoStarted | None = None
    status: dict[str, Status] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    """What the first start of each step saw."""
    attempts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    remedies: dict[str, str] = field(default_factory=dict)
    opened: dict[tuple[str, str], ev.GateReached] = field(default_factory=dict)
    """Key and kind of each gate that was opened -> what was said yes to."""
    gates: dict[tuple[str, str], ev.GateReached] = field(default_factory=dict)
    """The gates that wait for an answer: several hosts may reach one at once."""
    waived: dict[str, str] = field(default_factory=dict)
    token: int = 0
    store: str = ""
    """The store that took the lock last."""
    watched: list[ev.Watched] = field(default_factory=list)

    def of(self, key: str) -> Status:
        """Return where a step stands."""
        return self.status.get(key, Status.PENDING)

    def touched(self, key: str) -> bool:
        """Say whether a step was started, also if it was passed over since: the host may differ."""
        return key in self.changes and self.of(key) is not Status.UNDONE

    def answered(self, gate: ev.GateReached) -> bool:
        """Say whether a gate was opened, and for no less than it asks now."""
        opened = self.opened.get((gate.key, gate.kind))
        return opened is not None and opened.covers(gate)

    @property
    def waiting(self) -> ev.GateReached | None:
        """The first gate that waits for an answer, if any."""
        return next(iter(self.gates.values()), None)

    def asked_before_undo(self) -> list[str]:
        """Return the keys an undo waits at that has not begun: the run may still go on."""
        return [] if self.undo else [key for key, _ in self.gates if key.startswith(UNDO_PREFIX)]

    def take(self, entry: ev.Entry) -> None:
        """Fold one more entry."""
        self.run, self.last_at = entry.run, entry.at
        self.started_at = self.started_at or entry.at
        _FOLD.get(type(entry.event), _nothing)(self, entry.event)


def step_id(key: str) -> str:
    """Return the name a step has in its release."""
    return key.rpartition("/")[2].partition("@")[0]


def replay(entries: Iterable[ev.Entry]) -> RunState:
    """Fold a run's entries into the state they describe."""
    state = RunState()
    for entry in entries:
        state.take(entry)
    return state


Fold = Callable[[RunState, Any], None]


def _nothing(state: RunState, event: ev.Event) -> None:
    return


def _run_started(state: RunState, event: ev.RunStarted) -> None:
    state.started, state.stage = event, Stage.OPEN


def _hop_started(state: RunState, event: ev.HopStarted) -> None:
    state.hops[event.version] = event.plan


def _step_started(state: RunState, event: ev.StepStarted) -> None:
    state.status[event.key] = Status.STARTED
    state.attempts[event.key] = event.attempt
    # The first start saw the host untouched; a retry may see it half changed.
    state.changes.setdefault(event.key, event.change)
    _go(state)


def _go(state: RunState) -> None:
    going = Stage.UNDOING if state.undo else Stage.OPEN
    state.stage = Stage.WAITING if state.gates else going


def _step_done(state: RunState, event: ev.StepDone) -> None:
    state.status[event.key] = Status.DONE
    state.seconds[event.key] = event.seconds
    state.reasons.pop(event.key, None)
    _mark_undone(state, event.key)


def _mark_undone(state: RunState, key: str) -> None:
    if key.startswith(UNDO_PREFIX):
        state.status[key.removeprefix(UNDO_PREFIX)] = Status.UNDONE


def _step_skipped(state: RunState, event: ev.StepSkipped) -> None:
    state.status[event.key] = Status.SKIPPED
    state.reasons[event.key] = event.reason
    if not event.by:
        _mark_undone(state, event.key)


def _step_failed(state: RunState, event: ev.StepFailed) -> None:
    state.status[event.key] = Status.FAILED
    state.reasons[event.key], state.remedies[event.key] = event.reason, event.remedy
    state.stage = Stage.FAILED


def _step_in_doubt(state: RunState, event: ev.StepInDoubt) -> None:
    state.status[event.key] = Status.IN_DOUBT
    state.reasons[event.key] = event.reason
    state.stage = Stage.FAILED


def _doubt_settled(state: RunState, event: ev.DoubtSettled) -> None:
    # What did not happen may be tried again, as after a failure.
    state.status[event.key] = Status.DONE if event.happened else Status.FAILED
    state.reasons[event.key] = event.reason
    if event.happened:
        _mark_undone(state, event.key)


def _gate_reached(state: RunState, event: ev.GateReached) -> None:
    state.gates[event.key, event.kind] = event
    if not state.stage.ended:  # a run that ended stays so until its undo has begun
        state.stage = Stage.WAITING


def _gate_opened(state: RunState, event: ev.GateOpened) -> None:
    at = (event.key, event.kind)
    state.opened[at] = state.gates.pop(at, ev.GateReached(*at, question=""))
    if not state.stage.ended:
        _go(state)


def _waived(state: RunState, event: ev.Waived) -> None:
    state.waived[event.name] = event.reason


def _paused(state: RunState, event: ev.Paused) -> None:
    state.stage = Stage.PAUSED


def _resumed(state: RunState, event: ev.Resumed) -> None:
    state.gates.clear()  # whatever still asks is reached again
    _go(state)


def _undo_started(state: RunState, event: ev.UndoStarted) -> None:
    state.undo, state.stage = event, Stage.UNDOING
    state.gates.clear()


def _watched(state: RunState, event: ev.Watched) -> None:
    state.watched.append(event)


def _lock_taken(state: RunState, event: ev.LockTaken) -> None:
    state.token, state.store = event.token, event.store


def _run_ended(state: RunState, event: ev.RunEnded) -> None:
    state.stage = Stage(event.outcome)


def _finalized(state: RunState, event: ev.Finalized) -> None:
    state.stage = Stage.FINALIZED


_FOLD: dict[type[ev.Event], Fold] = {
    ev.RunStarted: _run_started,
    ev.HopStarted: _hop_started,
    ev.StepStarted: _step_started,
    ev.StepDone: _step_done,
    ev.StepSkipped: _step_skipped,
    ev.StepFailed: _step_failed,
    ev.StepInDoubt: _step_in_doubt,
    ev.DoubtSettled: _doubt_settled,
    ev.GateReached: _gate_reached,
    ev.GateOpened: _gate_opened,
    ev.Waived: _waived,
    ev.Paused: _paused,
    ev.Resumed: _resumed,
    ev.UndoStarted: _undo_started,
    ev.Watched: _watched,
    ev.LockTaken: _lock_taken,
    ev.RunEnded: _run_ended,
    ev.Finalized: _finalized,
}
