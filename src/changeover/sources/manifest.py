"""What people write in `release.yaml`: the models it is checked against."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from changeover.sources.checked import Written, refused
from changeover.sources.configs_written import Configs
from changeover.sources.images_written import ImagesField
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
    """What it does, in a few words."""
    note: Localized = Field(default_factory=dict)
    """What the operator should know, shown in plan and guide."""
    approval: Localized = Field(default_factory=dict)
    """A question somebody must answer with yes before it starts."""
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    """How often it is tried again after a failure, before the run stops."""
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
    """Its name, for waivers."""
    use: str
    """An action that only looks, such as `disk.free`."""
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    """Parameters; strings may be templates."""
    on: TargetField | None = None
    """Which hosts; all unless it says otherwise."""
    when: When | None = None
    """A condition that must hold on the host."""
    level: Literal["fail", "warn"] = "fail"
    """Whether a bad answer stops the upgrade (`fail`) or is only told (`warn`)."""
    text: Localized = Field(default_factory=dict)
    """What is asked, in the operator's words."""
    remedy: Localized = Field(default_factory=dict)
    """What to do about a bad answer."""
    fix: list[StepWritten] = Field(default_factory=list)
    """Steps that `changeover check --fix` may run."""
    for_: Words = Field(default_factory=list, alias="for")
    """Procedures before which it is asked, `upgrade` being the upgrade itself; all by default."""


class RiskWritten(Written):
    """Something that makes the release dangerous on some instances."""

    id: Id | None = None
    """Its name, for waivers."""
    when: When
    """On which instances it is dangerous."""
    level: Literal["block", "warn"]
    """Whether the upgrade is refused (`block`) or only warned of (`warn`)."""
    text: Localized
    """What may happen."""


class InputWritten(Written):
    """A value asked before the run and remembered."""

    type: Literal["string", "int", "bool", "choice"] = "string"
    """What kind of value it is."""
    default: Any = None
    """The value where nobody gives one."""
    required: bool = True
    """Whether there must be a value."""
    pattern: Pattern = ""
    """A regular expression the whole value must match."""
    choices: list[str] = Field(default_factory=list)
    """The values a `choice` may have."""
    secret: bool = False
    """Whether it is masked in all that is shown and stored."""
    ask: Localized = Field(default_factory=dict)
    """The question."""


def listed_stop(value: Any) -> Any:
    """Read a plain version as a stop without a condition."""
    return {"version": value} if isinstance(value, str) else value


class StopWritten(Written):
    """A release every route must pass through, if its condition holds."""

    version: VersionText
    """The release."""
    when: When | None = None
    """On which instances it is a stop; all unless it says otherwise."""


class ParamWritten(Written):
    """A parameter of a procedure."""

    default: Any = None
    """The value where none is given; strings may be templates."""
    required: bool = False
    """Whether a value must be given."""
    text: Localized = Field(default_factory=dict)
    """What it means."""


def _procedure(value: Any) -> Any:
    return {"steps": value} if isinstance(value, list) else value


class ProcedureWritten(Written):
    """A named list of steps with parameters; `changeover run NAME` runs it alone."""

    title: Localized = Field(default_factory=dict)
    """What it does, in a few words."""
    params: dict[Name, ParamWritten] = Field(default_factory=dict)
    """Its parameters; steps see them as `params`."""
    steps: list[StepWritten]
    """What it does."""


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
    """The format of this file."""
    product: Id
    """What is released."""
    version: VersionText
    """The version this release brings."""
    from_: Range = Field("", alias="from")
    """From which versions one may come: `>=4.3,<4.4`, `none`, alternatives joined by `||`.
    Empty means from any, and from none."""
    stops: list[Annotated[StopWritten, BeforeValidator(listed_stop)]] = Field(default_factory=list)
    """Releases that must not be jumped over on the way here."""
    withdrawn: Localized = Field(default_factory=dict)
    """Why the release must not be used."""
    title: Localized = Field(default_factory=dict)
    """Its name, for people."""
    impact: Literal["none", "degraded", "full-stop"] = "degraded"
    """What users notice while it is applied."""
    revision: Annotated[int, Field(ge=1)] = 1
    """Counts corrections of the same version."""
    requires: str = ""
    """Which versions of this tool can run it: `changeover >=0.1`."""
    editions: list[Id] = Field(default_factory=list)
    """The editions there are."""
    methods: list[Id] = Field(default_factory=list)
    """The install methods there are, such as `packages`."""
    modules: dict[str, str] = Field(default_factory=dict)
    """The modules there are, each with its version in this release."""
    images: ImagesField = Field(default_factory=dict)
    """The container images, by name: `HOST/NAME:TAG@sha256:...`, or `{image: ..., when: ...}` with
    one line for each edition; or a file of the bundle that says this."""
    inputs: dict[Name, InputWritten] = Field(default_factory=dict)
    """Questions to the operator, by name."""
    deploys: str = ""
    """The input that names the git reference to deploy, for products that deploy any."""
    probe: Annotated[dict[str, Any], BeforeValidator(_probe)] = Field(default_factory=dict)
    """How the installed version is read: `{file: /path}`, `{package: name}`, `{git: /folder}` or
    `{command: [words]}`, or one of these for each method."""
    checks: list[CheckWritten] = Field(default_factory=list)
    """What must be so before anything happens."""
    risks: list[RiskWritten] = Field(default_factory=list)
    """What makes it dangerous on some instances."""
    configs: Configs = Field(default_factory=dict)
    """Configuration files that operators edit, by name; steps with `files.merge` write them."""
    procedures: dict[Id, ProcedureField] = Field(default_factory=dict)
    """Lists of steps with a name: parts of `steps`, or run alone."""
    steps: list[StepWritten] = Field(default_factory=list)
    """What the upgrade does."""
    notes: Localized = Field(default_factory=dict)
    """A Markdown file of the bundle, or one for each language, or the text itself."""
    waived: dict[str, str] = Field(default_factory=dict)
    """Findings of lint the author accepts, with the reason."""
