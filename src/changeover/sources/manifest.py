"""What people write in `release.yaml`: the models it is checked against."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from changeover.sources.checked import Written, refused
from changeover.sources.probe import normal_probe
from changeover.sources.when import When
from changeover.sources.words import Id, Localized, Name, Pattern, Range, VersionText, Words

FORMAT = 1
"""The format of release files this tool reads."""


class TargetWritten(Written):
    """Which hosts: `web`, or `{role: web, once: true}`."""

    role: str | None = None
    """A role, or `all`."""
    host: str | None = None
    """One host by its name."""
    once: bool = False
    """On the first of them only, for all of them."""
    batch: Annotated[int, Field(ge=0)] = 0
    """How many at a time; 0 means all together."""


def _target(value: Any) -> Any:
    return {"role": value} if isinstance(value, str) else value


TargetField = Annotated[TargetWritten, BeforeValidator(_target)]
PhaseWord = Literal["prepare", "stop", "change", "start", "verify", "settle"]


class StepWritten(Written):
    """A step: an action with `use`, or a procedure's steps with `run`."""

    id: Id | None = None
    """Its name, kept from release to release: the journal calls it so."""
    use: str | None = None
    """An action, such as `files.write`."""
    run: str | None = None
    """A procedure whose steps stand here; `with` gives its parameters."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Parameters; strings may be templates."""
    phase: PhaseWord | None = None
    """When it runs; `change` unless it says otherwise."""
    on: TargetField | None = None
    """Which hosts; all unless it says otherwise."""
    when: When | None = None
    """A condition that must hold on the host."""
    title: Localized = Field(default_factory=dict)
    note: Localized = Field(default_factory=dict)
    """What the operator should know, shown in plan and guide."""
    approval: Localized = Field(default_factory=dict)
    """A question somebody must answer with yes before it starts."""
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    timeout: Annotated[float, Field(gt=0)] | None = None
    """Seconds it may take."""
    silence: Annotated[float, Field(gt=0)] | None = None
    """Seconds its command may print nothing."""
    covered_by: Words = Field(default_factory=list)
    """Ids of the backup steps that cover what it writes."""
    undo: Literal["action", "none", "nothing"] = "action"
    """`action`: by the action itself; `none`: no way back from here; `nothing`: needs no undo."""
    before_step: Words = Field(default_factory=list)
    """Steps it must run before."""
    after_step: Words = Field(default_factory=list)
    """Steps it must run after."""


class CheckWritten(Written):
    """A question asked before anything happens."""

    id: Id
    use: str
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    on: TargetField | None = None
    when: When | None = None
    level: Literal["fail", "warn"] = "fail"
    text: Localized = Field(default_factory=dict)
    remedy: Localized = Field(default_factory=dict)
    fix: list[StepWritten] = Field(default_factory=list)
    """Steps that `changeover check --fix` may run."""


class RiskWritten(Written):
    """Something that makes the release dangerous on some instances."""

    id: Id | None = None
    when: When
    level: Literal["block", "warn"]
    text: Localized


class InputWritten(Written):
    """A value asked before the run and remembered."""

    type: Literal["string", "int", "bool", "choice"] = "string"
    default: Any = None
    required: bool = True
    pattern: Pattern = ""
    choices: list[str] = Field(default_factory=list)
    secret: bool = False
    ask: Localized = Field(default_factory=dict)


def listed_stop(value: Any) -> Any:
    """Read a plain version as a stop without a condition."""
    return {"version": value} if isinstance(value, str) else value


class StopWritten(Written):
    """A release every route must pass through, if its condition holds."""

    version: VersionText
    when: When | None = None


class ParamWritten(Written):
    """A parameter of a procedure."""

    default: Any = None
    required: bool = False
    text: Localized = Field(default_factory=dict)


def _procedure(value: Any) -> Any:
    return {"steps": value} if isinstance(value, list) else value


class ProcedureWritten(Written):
    """A named list of steps with parameters; `changeover run NAME` runs it alone."""

    title: Localized = Field(default_factory=dict)
    params: dict[Name, ParamWritten] = Field(default_factory=dict)
    steps: list[StepWritten]


ProcedureField = Annotated[ProcedureWritten, BeforeValidator(_procedure)]


def _probe(value: Any) -> Any:
    if not isinstance(value, dict):
        raise refused("must be a mapping", "write {file: /path}, {package: name} or {command: []}")
    return normal_probe(value)


def _format(value: Any) -> Any:
    if value != FORMAT or isinstance(value, bool):
        raise refused(f"format {value} is not known", f"this tool reads format {FORMAT}")
    return value


class ManifestWritten(Written):
    """A release."""

    format: Annotated[
        int, BeforeValidator(_format), WithJsonSchema({"type": "integer", "const": FORMAT})
    ]
    product: Id
    version: VersionText
    from_: Range = Field("", alias="from")
    """From which versions one may come: `>=4.3,<4.4`, `none`, alternatives joined by `||`.
    Empty means from any, and from none."""
    stops: list[Annotated[StopWritten, BeforeValidator(listed_stop)]] = Field(default_factory=list)
    """Releases that must not be jumped over on the way here."""
    withdrawn: Localized = Field(default_factory=dict)
    """Why the release must not be used."""
    title: Localized = Field(default_factory=dict)
    impact: Literal["none", "degraded", "full-stop"] = "degraded"
    revision: Annotated[int, Field(ge=1)] = 1
    requires: str = ""
    """Which versions of this tool can run it: `changeover >=0.1`."""
    editions: list[Id] = Field(default_factory=list)
    methods: list[Id] = Field(default_factory=list)
    modules: dict[str, str] = Field(default_factory=dict)
    inputs: dict[Name, InputWritten] = Field(default_factory=dict)
    deploys: str = ""
    """The input that names the git reference to deploy, for products that deploy any."""
    probe: Annotated[dict[str, Any], BeforeValidator(_probe)] = Field(default_factory=dict)
    """How the installed version is read: `{file: /path}`, `{package: name}`, `{git: /folder}` or
    `{command: [words]}`, or one of these for each method."""
    checks: list[CheckWritten] = Field(default_factory=list)
    risks: list[RiskWritten] = Field(default_factory=list)
    configs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    procedures: dict[Id, ProcedureField] = Field(default_factory=dict)
    steps: list[StepWritten] = Field(default_factory=list)
    notes: Localized = Field(default_factory=dict)
    """A Markdown file of the bundle, or one for each language, or the text itself."""
    waived: dict[str, str] = Field(default_factory=dict)
    """Findings of lint the author accepts, with the reason."""
