"""A plan as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from changeover.model.plan import Effect, Hop, Mode, Plan, PlannedStep
from changeover.model.release import Phase
from changeover.views.phrasebook import said
from changeover.views.style import (
    bad,
    careful,
    clipped,
    diff_lines,
    faint,
    good,
    rule,
    seconds,
    strong,
    version,
    wrapped,
)

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
    Phase.CHANGE: "",
    Phase.START: "the service comes back",
    Phase.VERIFY: "what must be seen",
    Phase.SETTLE: "afterwards",
}
_MARGIN = 5
_BAR, _NOTHING = faint("│"), "nothing installed"
WIDEST_NAME, MOST_LINES, MOST_OF_ONE = 30, 12, 400
"""Columns of a step's name, lines of a command, and characters of one line that are shown."""


def plan_lines(plan: Plan, language: str = "en", *, whole: bool = True) -> Iterator[str]:
    """Render a plan; `whole` shows diffs and commands, too."""
    yield strong(f"{plan.product} on {plan.instance}: {_way(plan)}")
    yield from _inputs(plan)
    for hop in plan.hops:
        if len(plan.hops) > 1:
            yield ""
            yield strong(said(f"release {hop.version}"))
        yield from _hop_lines(plan, hop, language, whole=whole)
    yield ""
    yield from _closing(plan)


def seen_lines(plan: Plan, language: str = "en") -> Iterator[str]:
    """Render what the steps of a procedure that only looks have seen."""
    for step in plan.steps:
        title = step.step.title.to(language) or step.step.id
        yield strong(f"{step.host}: {title}")
        yield from (f"  {said(line)}" for line in step.change.summary.splitlines())


def _way(plan: Plan) -> str:
    nothing = said(_NOTHING)
    start, end = version(plan.installed, nothing), version(plan.target, nothing)
    name = "" if plan.procedure == "upgrade" else f" ({plan.procedure})"
    between = [hop.version for hop in plan.hops[:-1]]
    return " → ".join([start, *between, end]) + name


def _inputs(plan: Plan) -> Iterator[str]:
    used = {k: v for k, v in plan.inputs.items() if plan.used is None or k in plan.used}
    used = {k: v for k, v in used.items() if v not in ("", None)}
    if used:
        values = ", ".join(f"{k}={v}" for k, v in used.items())
        yield faint(said(f"with {values}"))
    for name, reason in plan.waived.items():
        yield careful(said(f"waived: {name}: {reason}"))


def _hop_lines(plan: Plan, hop: Hop, language: str, *, whole: bool) -> Iterator[str]:
    edge = _edge(plan)
    column = min(max((len(_name(step)) for step in hop.steps), default=0), WIDEST_NAME)
    for heading, steps in groupby(hop.steps, key=lambda step: _heading(step.phase, step.mode)):
        yield ""
        yield rule(said(heading))
        for step in steps:
            if step is edge:
                yield bad(rule(said("no way back from here")))
            yield from _headline(step, column)
            if step.change.needed:
                yield from _below(step, language, whole=whole)


def _edge(plan: Plan) -> PlannedStep | None:
    """Return where the way back ends. Of a way back it is not asked."""
    return None if plan.procedure == "undo" else plan.point_of_no_return


def _heading(phase: Phase, mode: Mode) -> str:
    if mode is Mode.UNDO:
        return "restore" if phase is not Phase.PREPARE else "clean up"
    if mode is Mode.AGAIN:
        return "apply and check again"
    return f"{phase}: {_SERVICE[phase]}".removesuffix(": ")


def _name(step: PlannedStep) -> str:
    return f"{step.step.id}@{step.host}"


def _headline(step: PlannedStep, column: int) -> Iterator[str]:
    """Yield the mark, the name and what would happen, beside each other."""
    name = f"{_name(step):<{column}}"
    indent = 3 + column + 2
    first, *more = wrapped(said(step.change.summary), indent)
    if not step.change.needed:
        yield faint(f" · {name}  {first}")
        yield from (faint(" " * indent + line) for line in more)
        return
    yield f" {_MARK[step.change.effect]} {strong(name)}  {first}"
    yield from (" " * indent + line for line in more)


def _below(step: PlannedStep, language: str, *, whole: bool) -> Iterator[str]:
    """Yield what else there is to know: notes, questions, then diff and commands."""
    change, title = step.change, step.step.title.to(language)
    margin = " " * _MARGIN
    if title and title != change.summary:
        yield from (faint(margin + line) for line in wrapped(title, _MARGIN))
    if not step.reversible and step.mode is Mode.APPLY:
        yield careful(said(f"{margin}cannot be undone"))
    for question in filter(None, (step.step.approval.to(language), change.question)):
        asked = said(f"asks first: {question}")
        yield from (careful(margin + line) for line in wrapped(asked, _MARGIN))
    if change.unforeseen:
        later = said(f"known at run time: {change.unforeseen}")
        yield from (faint(margin + line) for line in wrapped(later, _MARGIN))
    if whole:
        yield from (f"{margin}{_BAR} {line}" for line in diff_lines(change.diff))
        for command in change.commands:
            yield from (faint(margin + line) for line in _command_lines(command))


def _command_lines(command: str) -> Iterator[str]:
    """Yield a command under a prompt: its lines below each other, long ones wrapped."""
    lines = [line for line in command.splitlines() if line.strip()]
    sign = "$ "
    for line in lines[:MOST_LINES]:
        for piece in wrapped(clipped(line, MOST_OF_ONE), _MARGIN + 2):
            yield sign + piece
            sign = "  "
    if len(lines) > MOST_LINES:
        yield said(f"  … {len(lines) - MOST_LINES} more lines (-o json has them)")


def _closing(plan: Plan) -> Iterator[str]:
    steps = [step for step in plan.steps if step.change.needed]
    hosts = {step.host for step in steps}
    where = f", on {_hosts(hosts)}" if hosts else ""
    yield said(f"{len(steps)} of {len(plan.steps)} steps change something{where}.")
    edge = _edge(plan)
    if edge:
        yield careful(said(f"There is a way back until {edge.key}; not beyond."))
    elif steps and plan.procedure != "undo":
        yield good(said("There is a way back from every step: changeover undo."))
    if plan.downtime is not None:
        yield said(f"The service should be down for about {seconds(plan.downtime)}.")
    elif any(s.phase is Phase.STOP for s in steps):
        yield said("How long the service is down is not known yet: no earlier run tells.")
    for note in plan.notes:
        yield ""
        yield from ("  " + line for line in note.splitlines())


def _hosts(names: set[str]) -> str:
    return f"host {', '.join(sorted(names))}" if len(names) < 4 else f"{len(names)} hosts"
