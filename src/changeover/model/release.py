"""A release: what to bring to a platform, from where one may come, and how to tell it is there.

These are the values the engine works with. What people write in `release.yaml` is checked and
turned into them by `changeover.sources.manifest`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.model.config import Config
from changeover.model.text import Text

Params = Mapping[str, Any]
"""Parameters as written: strings may be templates (`{{ vars.x }}`, `{{ secrets.y }}`)."""

Condition = Mapping[str, Any]
"""A `when`: every entry must hold. See `changeover.engine.condition` for its words."""


class Phase(enum.StrEnum):
    """When a step runs. Service is down between the first of `stop` and the last of `start`."""

    PREPARE = "prepare"
    STOP = "stop"
    CHANGE = "change"
    START = "start"
    VERIFY = "verify"
    SETTLE = "settle"


@dataclass(frozen=True)
class Where:
    """Where in a file people wrote something: shown as `file:line:column`."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Target:
    """Which hosts a step concerns."""

    name: str = "all"
    """A role, a host's name, or `all`."""
    once: bool = False
    """On the first of those hosts only, for all of them."""
    batch: int = 0
    """How many hosts at a time; 0 means all together."""


@dataclass(frozen=True)
class Step:
    """One line of a release's runbook: an action, its parameters, and where it happens."""

    id: str
    use: str
    with_: Params = field(default_factory=dict)
    phase: Phase = Phase.CHANGE
    on: Target = field(default_factory=Target)
    when: Condition = field(default_factory=dict)
    title: Text = field(default_factory=Text)
    note: Text = field(default_factory=Text)
    """Shown in the plan: what the operator should know, such as where it departs from the guide."""
    approval: Text = field(default_factory=Text)
    """A question somebody must answer before the step starts; none means go."""
    retries: int = 0
    timeout: float | None = None
    """Seconds the step may take in total; none means the action's own limit."""
    silence: float | None = None
    """Seconds a command of the step may stay silent."""
    covered_by: tuple[str, ...] = ()
    """Ids of the backup steps that cover what this step writes."""
    undo: str = "action"
    """`action`: by the action itself, `none`: no way back from here, `nothing`: needs no undo."""
    where: Where = field(default_factory=Where)
    params: tuple[Params, ...] = ()
    """What templates call `params`: those of the procedures it came from, outermost first."""


@dataclass(frozen=True)
class Check:
    """A question the release asks of the environment before anything happens."""

    id: str
    use: str
    with_: Params = field(default_factory=dict)
    on: Target = field(default_factory=Target)
    when: Condition = field(default_factory=dict)
    level: str = "fail"
    text: Text = field(default_factory=Text)
    remedy: Text = field(default_factory=Text)
    fix: tuple[Step, ...] = ()
    where: Where = field(default_factory=Where)
    procedures: tuple[str, ...] = ()
    """Asked before these alone, `upgrade` being the upgrade itself; empty for all."""

    def concerns(self, procedure: str) -> bool:
        """Whether it is asked before a procedure (or the upgrade)."""
        return not self.procedures or procedure in self.procedures


@dataclass(frozen=True)
class Risk:
    """Something that makes this release dangerous on some instances."""

    id: str
    when: Condition
    level: str
    """`block` or `warn`."""
    text: Text
    where: Where = field(default_factory=Where)


@dataclass(frozen=True)
class Input:
    """A value asked before the run and remembered per instance."""

    name: str
    type: str = "string"
    """`string`, `int`, `bool` or `choice`."""
    default: Any = None
    required: bool = True
    pattern: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False
    ask: Text = field(default_factory=Text)
    where: Where = field(default_factory=Where)


@dataclass(frozen=True)
class Stop:
    """A release every route must pass through, if its condition holds."""

    version: str
    when: Condition = field(default_factory=dict)


@dataclass(frozen=True)
class Image:
    """A container image of a release."""

    name: str
    references: Mapping[str, str]
    """Edition to reference, best by digest; the empty edition stands for all."""
    when: Condition = field(default_factory=dict)
    where: Where = field(default_factory=Where)

    def for_edition(self, edition: str) -> str:
        """Return the reference an edition uses; empty where it uses none."""
        return self.references.get(edition, self.references.get("", ""))


@dataclass(frozen=True)
class Release:
    """A version of a product with the steps that bring it about."""

    product: str
    version: str
    folder: Path
    digest: str
    """sha256 over every file of the bundle, by path."""
    origins: str = ""
    """A version range such as `>=4.3,<4.4`; empty means from any version, also from none."""
    stops: tuple[Stop, ...] = ()
    withdrawn: Text = field(default_factory=Text)
    """Why the release must not be used; empty means it may."""
    title: Text = field(default_factory=Text)
    impact: str = "degraded"
    revision: int = 1
    requires: str = ""
    """Which versions of this tool can run it, such as `changeover >=0.1`."""
    editions: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    inputs: tuple[Input, ...] = ()
    deploys: str = ""
    """For products that deploy any git reference: the input that names it. The installed version
    is then the commit that `probe` reads, and the release may be applied over itself."""
    probe: Params = field(default_factory=dict)
    """An action-like question `{use: ..., with: ...}` whose answer is the installed version."""
    checks: tuple[Check, ...] = ()
    risks: tuple[Risk, ...] = ()
    configs: Mapping[str, Config] = field(default_factory=dict)
    procedures: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    procedure_titles: Mapping[str, Text] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    notes: Text = field(default_factory=Text)
    waived: Mapping[str, str] = field(default_factory=dict)
    """Lint findings the author accepts, with the reason: `{"uncovered-write:step-id": "..."}`."""
