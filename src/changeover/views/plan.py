"""A plan as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from changeover.model.plan import Effect, Hop, Mode, Plan, PlannedStep
from changeover.model.release import Phase
from changeover.views.style import bad, careful, diff_lines, faint, good, rule, seconds, strong

_MARK = {
    Effect.NONE: faint("·"),
    Effect.CREATE: good("+"),
    Effect.UPDATE: careful("~"),
    Effect.DELETE: bad("-"),
    Effect.RUN: careful("!"),
}
_SERVICE = {
    Phase.PREPARE: "the service keeps running",
    Phase.STOP: "the service stops",
    Phase.CHANGE: "the change",
    Phase.START: "the service starts again",
    Phase.VERIFY: "what must be seen",
    Phase.SETTLE: "afterwards",
}


def plan_lines(plan: Plan, language: str = "en", *, whole: bool = True) -> Iterator[str]:
    """Render a plan; `whole` shows diffs and commands, too."""
    yield strong(f"{plan.product} on {plan.instance}: {_way(plan)}")
    yield from _inputs(plan)
    for hop in plan.hops:
        if len(plan.hops) > 1:
            yield ""
            yield strong(f"release {hop.version}")
        yield from _hop_lines(plan, hop, language, whole=whole)
    yield ""
    yield from _closing(plan)


def _way(plan: Plan) -> str:
    start, end = plan.installed or "nothing installed", plan.target
    name = "" if plan.procedure == "upgrade" else f" ({plan.procedure})"
    between = [hop.version for hop in plan.hops[:-1]]
    return " → ".join([start, *between, end]) + name


def _inputs(plan: Plan) -> Iterator[str]:
    if plan.inputs:
        yield faint("with " + ", ".join(f"{k}={v}" for k, v in plan.inputs.items()))
    for name, reason in plan.waived.items():
        yield careful(f"waived: {name}: {reason}")


def _hop_lines(plan: Plan, hop: Hop, language: str, *, whole: bool) -> Iterator[str]:
    edge = plan.point_of_no_return
    for phase, steps in groupby(hop.steps, key=lambda s: (s.phase, s.mode)):
        yield ""
        yield rule(_heading(*phase))
        for step in steps:
            if step is edge:
                yield bad(rule("no way back from here"))
            yield from step_lines(step, language, whole=whole)


def _heading(phase: Phase, mode: Mode) -> str:
    if mode is Mode.UNDO:
        return "restore" if phase is not Phase.PREPARE else "clean up"
    if mode is Mode.AGAIN:
        return "apply and check again"
    return f"{phase}: {_SERVICE[phase]}"


def step_lines(step: PlannedStep, language: str = "en", *, whole: bool = True) -> Iterator[str]:
    """Render one step: mark, name, host, effect; then its diff and commands."""
    change = step.change
    title = step.step.title.to(language)
    name = f"{step.step.id}@{step.host}"
    if change.effect is Effect.NONE:
        yield faint(f" · {name:<32} {change.summary} (nothing to do)")
        return
    tail = "" if step.reversible or step.mode is not Mode.APPLY else careful("  [no undo]")
    yield f" {_MARK[change.effect]} {name:<32} {change.summary}{tail}"
    if title and title != change.summary:
        yield faint(f"     {title}")
    for question in filter(None, (step.step.approval.to(language), change.question)):
        yield careful(f"     asks first: {question}")
    if change.unforeseen:
        yield faint(f"     known at run time: {change.unforeseen}")
    if whole:
        yield from (f"     {line}" for line in diff_lines(change.diff))
        yield from (faint(f"     $ {command}") for command in change.commands)


def _closing(plan: Plan) -> Iterator[str]:
    steps = [step for step in plan.steps if step.change.needed]
    hosts = {step.host for step in steps}
    yield f"{len(steps)} of {len(plan.steps)} steps change something, on {_hosts(hosts)}."
    edge = plan.point_of_no_return
    if edge:
        yield careful(f"There is a way back until {edge.key}; not beyond.")
    elif steps and plan.procedure != "undo":
        yield good("There is a way back from every step: changeover undo.")
    if plan.downtime is not None:
        yield f"The service should be down for about {seconds(plan.downtime)}."
    elif any(s.phase is Phase.STOP for s in steps):
        yield "How long the service is down is not known yet: no earlier run tells."
    for note in plan.notes:
        yield ""
        yield from ("  " + line for line in note.splitlines())


def _hosts(names: set[str]) -> str:
    return f"host {', '.join(sorted(names))}" if len(names) < 4 else f"{len(names)} hosts"
