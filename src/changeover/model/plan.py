"""A plan: inert data that says what a run will do. Nothing here can act."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from changeover.model.release import Phase, Step


class Effect(enum.StrEnum):
    """What a step does to the thing it acts on."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RUN = "run"


@dataclass(frozen=True)
class Change:
    """What an action would do on one host, and what undoing it would need."""

    effect: Effect
    summary: str
    diff: str = ""
    """A unified diff where a file changes. May hold secrets until the engine has masked it."""
    commands: tuple[str, ...] = ()
    """What will be run, as words that are safe to show."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """What undo needs, JSON-like: references (digests, paths, ids), never contents or secrets."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the decision was read from: name -> normalized value or digest, no times, no pids."""
    alters: tuple[str, ...] = ()
    """Names of facts this change moves (a trailing `*` matches a prefix)."""
    unforeseen: str = ""
    """Why the effect can only be known at run time; empty means it is known."""
    estimate: float | None = None
    """Seconds it should take, where the action can tell."""
    question: str = ""
    """Something the operator must say yes to first, such as the rows an undo would drop."""
    losses: Mapping[str, int] = field(default_factory=dict)
    """What the question counts, such as table -> rows: a yes holds until one of them grows."""

    @property
    def needed(self) -> bool:
        """Whether anything is left to do."""
        return self.effect is not Effect.NONE


class Mode(enum.StrEnum):
    """What a run does with a planned step."""

    APPLY = "apply"
    UNDO = "undo"
    """Put back what the step changed."""
    AGAIN = "again"
    """In an undo: apply a refresh or a check again, now that everything is restored."""


@dataclass(frozen=True)
class PlannedStep:
    """A step bound to a release and a host, with the change expected there."""

    release: str
    step: Step
    host: str
    change: Change
    reversible: bool
    mode: Mode = Mode.APPLY

    @property
    def key(self) -> str:
        """Name of the step in the journal, stable across resumes: `4.4.0/merge-toml@node1`."""
        prefix = "" if self.mode is Mode.APPLY else f"{self.mode}:"
        return f"{prefix}{self.release}/{self.step.id}@{self.host}"

    @property
    def phase(self) -> Phase:
        """When the step runs."""
        return self.step.phase


@dataclass(frozen=True)
class Hop:
    """One release of the route with its steps, in the order they run."""

    version: str
    digest: str
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True)
class Plan:
    """What leads from the installed version to the target. Saved, shown, approved, run."""

    instance: str
    product: str
    procedure: str
    """`upgrade`, or the name of the procedure a `changeover run NAME` plans."""
    installed: str
    target: str
    hops: tuple[Hop, ...]
    state_digest: str
    """sha256 over every fact of every step."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    downtime: float | None = None
    """Estimated seconds of downtime; none where no earlier run tells."""
    only: tuple[str, ...] = ()
    """Ids of steps or names of phases that were asked for alone; empty means everything."""
    answering: tuple[str, ...] = ()
    """Names of the endpoints that answered as expected when the plan was made."""
    used: tuple[str, ...] | None = None
    """Names of the inputs that something in the plan read; none where nobody noted it."""
    tool: str = ""
    format: int = 1

    @property
    def steps(self) -> tuple[PlannedStep, ...]:
        """All steps of all hops, in order."""
        return tuple(step for hop in self.hops for step in hop.steps)

    @property
    def point_of_no_return(self) -> PlannedStep | None:
        """The first step that cannot be undone, if any."""
        return next((s for s in self.steps if s.change.needed and not s.reversible), None)
