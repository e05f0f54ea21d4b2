"""The events of a run. The journal is a list of these; everything shown is computed from it.

Add an event: write its class, add it to `Event`, say in `state.py` what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from changeover.model.plan import Change


@dataclass(frozen=True)
class RunStarted:
    """A plan was approved and begins."""

    plan: str
    """Digest of the plan; the store and the hosts keep it under that name."""
    procedure: str
    installed: str
    target: str
    tool: str
    by: str


@dataclass(frozen=True)
class HopStarted:
    """The release was planned again at its boundary and begins."""

    version: str
    plan: str


@dataclass(frozen=True)
class StepStarted:
    """Written before the action touches the host."""

    key: str
    attempt: int
    change: Change
    """Without diff, facts and commands, which the plan holds."""


@dataclass(frozen=True)
class StepDone:
    """Written after the action proved its work."""

    key: str
    seconds: float = 0.0


@dataclass(frozen=True)
class StepSkipped:
    """The host was already as the step wants it, or somebody decided to go on without it."""

    key: str
    reason: str
    by: str = ""


@dataclass(frozen=True)
class StepFailed:
    """The action raised; the host may be half changed."""

    key: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class StepInDoubt:
    """Something was started and its outcome cannot be learnt."""

    key: str
    reason: str


@dataclass(frozen=True)
class DoubtSettled:
    """Somebody looked and says what happened."""

    key: str
    happened: bool
    by: str
    reason: str


@dataclass(frozen=True)
class GateReached:
    """The run waits for an answer."""

    key: str
    kind: str
    """`approval`, `drift`, `loss` or `boundary`."""
    question: str
    losses: Mapping[str, int] = field(default_factory=dict)
    """What the question counts, where it counts: table -> rows."""

    def covers(self, later: GateReached) -> bool:
        """Say whether a yes to this is a yes to what is asked later."""
        if self.question in ("", later.question):
            return True
        grown = (n > self.losses.get(what, 0) for what, n in later.losses.items())
        return bool(later.losses) and not any(grown)


@dataclass(frozen=True)
class GateOpened:
    """Somebody said yes."""

    key: str
    kind: str
    by: str
    reason: str = ""


@dataclass(frozen=True)
class Waived:
    """A failed check was accepted, with a reason."""

    name: str
    reason: str
    by: str


@dataclass(frozen=True)
class Paused:
    """The run stopped between two steps because somebody asked."""

    by: str
    reason: str = ""


@dataclass(frozen=True)
class Resumed:
    """The run goes on in a new process."""

    by: str
    tool: str
    after: str = ""
    """What ended the last process, where it is known: `crash`, `pause`, `failure`, `takeover`."""
    without: tuple[str, ...] = ()
    """Hosts that are left out: their steps wait until they are back."""


@dataclass(frozen=True)
class UndoStarted:
    """The way back begins; its plan has steps of its own."""

    plan: str
    by: str
    reason: str = ""
    without: tuple[str, ...] = ()
    """Hosts that are left out."""


@dataclass(frozen=True)
class Proven:
    """Something was observed that shows the instance works, such as an endpoint or the probe."""

    what: str


@dataclass(frozen=True)
class EndpointDown:
    """The prober's first failed request of a series."""

    endpoint: str
    reason: str


@dataclass(frozen=True)
class EndpointUp:
    """The first request that succeeded again."""

    endpoint: str
    seconds: float
    failed: int
    """Requests that failed in between."""


@dataclass(frozen=True)
class Watched:
    """What the prober saw of one endpoint during one process of the run."""

    endpoint: str
    requests: int
    failed: int
    downtime: float
    """Seconds without an answer as expected."""


@dataclass(frozen=True)
class LockTaken:
    """The run holds the instance under this fencing token."""

    token: int
    by: str
    store: str = ""
    """The store that writes from here on; "" in journals written before there was this field."""


@dataclass(frozen=True)
class RunEnded:
    """Nothing more will be done by itself."""

    outcome: str
    """`done`, `undone` or `aborted`."""
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Finalized:
    """There is no way back any more: what undo needed was removed."""

    by: str
    kept: Mapping[str, Any] = field(default_factory=dict)
    """Host -> backups that stay."""


Event = (
    RunStarted
    | HopStarted
    | StepStarted
    | StepDone
    | StepSkipped
    | StepFailed
    | StepInDoubt
    | DoubtSettled
    | GateReached
    | GateOpened
    | Waived
    | Paused
    | Resumed
    | UndoStarted
    | Proven
    | EndpointDown
    | EndpointUp
    | Watched
    | LockTaken
    | RunEnded
    | Finalized
)

EVENTS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in Event.__args__}
"""Every event by the name the journal gives it."""


@dataclass(frozen=True)
class Entry:
    """An event as the journal keeps it, chained to the one before."""

    seq: int
    run: str
    at: str
    """UTC, ISO 8601, microseconds: for people. Order is by `seq`."""
    event: Event
    previous: str
    hash: str
    """sha256 over the previous hash and the canonical JSON of everything else."""
