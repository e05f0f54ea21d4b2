"""Turn a route into a plan by asking every action what it would do, on shadows of the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from changeover import __version__
from changeover.engine.binder import Binder, undoable
from changeover.engine.order import UPGRADE, steps_of
from changeover.errors import ActionFailed, InvalidInput
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.model.codec import digest_of, to_json
from changeover.model.findings import Finding, failed
from changeover.model.instance import Instance
from changeover.model.plan import Change, Effect, Hop, Plan, PlannedStep
from changeover.model.release import Phase, Release, Step
from changeover.model.secret import Masker

UNFORESEEN = "~"
"""The value of a fact that an earlier step moves: known at run time."""

HOSTS_AT_ONCE = 32


@dataclass(frozen=True)
class Request:
    """What an operator asks for."""

    installed: str
    target: str
    procedure: str = UPGRADE
    inputs: Mapping[str, Any] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    """Ids of steps or names of phases to plan alone; empty means everything."""


def request_of(plan: Plan) -> Request:
    """Return what was asked for when a plan was made."""
    return Request(plan.installed, plan.target, plan.procedure, plan.inputs, plan.waived, plan.only)


@dataclass
class Planner:
    """Plans hops one after the other; remembers what earlier steps would have done."""

    instance: Instance
    hosts: Mapping[str, Host]
    bind: Binder
    masker: Masker
    durations: Mapping[str, float] = field(default_factory=dict)
    findings: list[Finding] | None = None
    """Where to put what every step reports on a host as the steps before it leave it; a step that
    cannot be planned is then a finding too, and the next one is looked at."""

    def __post_init__(self) -> None:
        self._shadows = {name: shadow_of(host) for name, host in self.hosts.items()}
        self._moved: dict[str, set[str]] = {name: set() for name in self.hosts}

    def plan(self, route: Sequence[Release], request: Request) -> Plan:
        """Read every host, change none."""
        hops = tuple(self.hop(release, request, first=i == 0) for i, release in enumerate(route))
        steps = [step for hop in hops for step in hop.steps]
        _refuse_unknown(request, route, self.instance)
        # The notes of a release are about the upgrade; its steps have their own.
        told = route if request.procedure == UPGRADE else ()
        plan = Plan(
            self.instance.name, self.instance.product, request.procedure,
            request.installed, request.target, hops, facts_digest(steps),
            request.inputs, request.waived, self._notes(told, steps), None, request.only,
            tool=__version__,
        )  # fmt: skip
        return replace(plan, downtime=estimate_downtime(plan, self.durations))

    def hop(self, release: Release, request: Request, *, first: bool) -> Hop:
        """Plan one release on the shadows as the releases before have left them."""
        planned: list[PlannedStep] = []
        for step in steps_of(release, request.procedure, self.instance.site_steps):
            if not request.only or step.id in request.only or step.phase in request.only:
                planned += self._bind_all(release, step, lenient=not first)
        return Hop(release.version, release.digest, tuple(planned))

    def _bind_all(self, release: Release, step: Step, *, lenient: bool) -> list[PlannedStep]:
        names = [spec.name for spec in self.instance.chosen(step.on.name)]
        names = [n for n in names if self.bind.holds(release.version, step.when, self._shadows[n])]
        names = names[:1] if step.on.once else names

        def bind(name: str) -> PlannedStep:
            return self._bind(release, step, self._shadows[name], lenient=lenient)

        if len(names) < 2:
            return [bind(name) for name in names]
        with ThreadPoolExecutor(min(len(names), HOSTS_AT_ONCE)) as pool:
            return list(pool.map(bind, names))

    def _bind(self, release: Release, step: Step, shadow: Host, *, lenient: bool) -> PlannedStep:
        action = self.bind.action(release.version, step, shadow)
        self._examine(action.check(shadow) if self.findings is not None else (), step, shadow)
        try:
            change = action.plan(shadow)
            action.foresee(shadow, change)
        except ActionFailed as error:
            if self.findings is not None:
                self._examine([failed(error.message, error.remedy)], step, shadow)
            elif not lenient:
                raise ActionFailed(f"{step.where}: {step.id}: {error}", error.remedy) from error
            change = Change(Effect.RUN, f"known at run time: {error}", unforeseen=str(error))
        moved = self._moved[shadow.name]
        change = masked(with_unforeseen(change, moved), self.masker)
        if change.needed:
            moved.update(change.alters)
        reversible = undoable(action, step)
        return PlannedStep(release.version, step, shadow.name, change, reversible)

    def _examine(self, found: Iterable[Finding], step: Step, host: Host) -> None:
        for finding in found:
            # Whoever prints it says the host already.
            message = finding.message.removeprefix(f"{host.name}: ")
            named = replace(finding, name=finding.name or step.id, host=host.name, message=message)
            if self.findings is not None and named not in self.findings:
                self.findings.append(named)

    def _notes(self, told: Sequence[Release], steps: Sequence[PlannedStep]) -> tuple[str, ...]:
        language = self.instance.language
        notes = [f"{r.version}: {r.notes.to(language)}" for r in told if r.notes]
        seen = {s.step.id: s.step.note.to(language) for s in steps if s.step.note}
        return (*notes, *(f"{step}: {note}" for step, note in seen.items()))


def _refuse_unknown(request: Request, route: Sequence[Release], instance: Instance) -> None:
    steps = [s for r in route for s in steps_of(r, request.procedure, instance.site_steps)]
    known = dict.fromkeys((*Phase, *(step.id for step in steps)))
    unknown = [name for name in request.only if name not in known]
    if unknown and route:
        raise InvalidInput(
            f"--only {', '.join(unknown)}: no step or phase is called so",
            "there are: " + ", ".join(map(str, known)),
        )


def masked(change: Change, masker: Masker) -> Change:
    """Return a change that may be shown and stored."""
    return replace(
        change,
        summary=masker.text(change.summary),
        diff=masker.text(change.diff),
        commands=tuple(map(masker.text, change.commands)),
        before=masker.tree(dict(change.before)),
        facts={masker.text(k): masker.text(str(v)) for k, v in change.facts.items()},
        question=masker.text(change.question),
        unforeseen=masker.text(change.unforeseen),
    )


def facts_digest(steps: Sequence[PlannedStep]) -> str:
    """Return the digest of all that the steps were decided from."""
    return digest_of([[s.key, s.change.effect, to_json(s.change.facts)] for s in steps])


def estimate_downtime(plan: Plan, durations: Mapping[str, float]) -> float | None:
    """Add up how long the steps between stop and start took, or say they would take."""
    down = (Phase.STOP, Phase.CHANGE, Phase.START)
    steps = [s for s in plan.steps if s.phase in down and s.change.needed]
    known = [durations.get(f"step {s.step.id}", s.change.estimate) for s in steps]
    told = [seconds for seconds in known if seconds is not None]
    return sum(told) if told and any(s.phase is Phase.STOP for s in steps) else None


def with_unforeseen(change: Change, moved: set[str]) -> Change:
    """Return a change that says which of its facts earlier steps move."""
    facts = {
        name: UNFORESEEN if any(fnmatchcase(name, pattern) for pattern in moved) else value
        for name, value in change.facts.items()
    }
    return replace(change, facts=facts)
