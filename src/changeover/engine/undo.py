"""Plan the way back: stop, restore, start, verify, clean up (ADR 0002).

Reversing a run step by step would restart services before their files are back. Here the steps
that changed something are undone in reverse order; steps that only make a service read what others
changed are applied again after everything is restored; the checks that held before the run are
asked again; and what was prepared beside the running platform is removed last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from changeover import __version__
from changeover.actions.base import Action, Reversible
from changeover.engine.attempt import Crew
from changeover.engine.planner import masked, with_unforeseen
from changeover.errors import ChangeoverError, NoWayBack
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect, Hop, Mode, Plan, PlannedStep
from changeover.model.release import Phase
from changeover.model.state import RunState, Stage

UNDO = "undo"


def plan_undo(plan: Plan, crew: Crew) -> Plan:
    """Plan the undo of all that a run touched; raise `NoWayBack` beyond a point of no return."""
    state = crew.journal.state
    if state.stage is Stage.FINALIZED:
        raise NoWayBack(
            f"run {state.run} was finalized: what an undo needs was removed",
            "go to the older release as a release of its own, or restore the kept backup by hand",
        )
    touched = [step for step in plan.steps if state.touched(step.key)]
    for step in touched:
        if not step.reversible:
            raise NoWayBack(
                f"{step.key}: {step.change.summary}: there is no way back from here",
                "mend what is wrong and go forward: changeover resume",
            )
    steps = _planned_all(_way_back(plan, touched, crew), crew)
    hop = Hop(UNDO, "", tuple(steps))
    return Plan(
        plan.instance, plan.product, UNDO, plan.target, plan.installed, (hop,), "",
        plan.inputs, plan.waived, answering=plan.answering, tool=__version__, used=(),
    )  # fmt: skip


def _way_back(
    plan: Plan, touched: list[PlannedStep], crew: Crew
) -> Iterator[tuple[PlannedStep, Mode]]:
    """Yield what to do with which step, in order."""
    kinds = {step.key: crew.action(step, crew.hosts[step.host]) for step in plan.steps}
    effective = [s for s in touched if s.step.undo == "action" and not kinds[s.key].harmless]
    again = [s for s in effective if _refreshes_again(kinds[s.key], crew, s)]
    restored = [s for s in effective if s not in again]
    live = [s for s in restored if s.phase is not Phase.PREPARE]
    yield from ((step, Mode.UNDO) for step in reversed(live))
    yield from ((step, Mode.AGAIN) for step in _once_each(again))
    if live:
        yield from ((step, Mode.AGAIN) for step in _checks_that_held(plan, kinds))
    prepared = [s for s in restored if s.phase is Phase.PREPARE]
    yield from ((step, Mode.UNDO) for step in reversed(prepared))


def _refreshes_again(action: Action, crew: Crew, step: PlannedStep) -> bool:
    """Whether there is something to refresh once all is restored."""
    begun = crew.journal.state.changes.get(step.key)
    return action.refreshes and not (begun and action.began(begun))


def _once_each(refreshes: Iterable[PlannedStep]) -> Iterator[PlannedStep]:
    """Yield what several hops refresh alike once, as the first of them did.

    Its parameters are nearest to where an undo ends: a later hop may have moved the port that is
    watched afterwards.
    """
    seen = set()
    for step in refreshes:
        same = (step.step.use, step.host, step.change.commands or (step.key,))
        if same not in seen:
            seen.add(same)
            yield step


def _checks_that_held(plan: Plan, kinds: Mapping[str, Action]) -> Iterator[PlannedStep]:
    # What held before a later hop held thanks to the hops before it, which are undone.
    for step in plan.hops[0].steps if plan.hops else ():
        held = step.phase is Phase.VERIFY and step.change.effect is Effect.NONE
        if held and kinds[step.key].harmless:
            yield step


def _planned_all(way: Iterator[tuple[PlannedStep, Mode]], crew: Crew) -> Iterator[PlannedStep]:
    """Yield the steps, each told which of its facts the ones before it move."""
    moved: dict[str, set[str]] = {name: set() for name in crew.hosts}
    for step, mode in way:
        planned = _planned(step, mode, crew)
        change = with_unforeseen(planned.change, moved[step.host])
        if change.needed:
            moved[step.host].update(change.alters)
        yield replace(planned, change=change)


def _planned(step: PlannedStep, mode: Mode, crew: Crew) -> PlannedStep:
    host = crew.hosts[step.host]
    if step.host in crew.away:
        foreseen = Change(Effect.RUN, step.change.summary, unforeseen=f"{host.name} is left out")
    else:
        action = crew.action(step, host)
        foreseen = _foreseen(action, host, mode, step, crew.journal.state)
    change = masked(foreseen, crew.masker)
    return replace(step, mode=mode, change=change, reversible=False)


def _foreseen(action: Action, host: Host, mode: Mode, step: PlannedStep, state: RunState) -> Change:
    if mode is Mode.UNDO and isinstance(action, Reversible):
        return action.plan_undo(host, state.changes[step.key])
    try:
        return action.plan(host)
    except ChangeoverError as error:
        # What is broken now is what the undo is for.
        return Change(Effect.RUN, step.change.summary, unforeseen=str(error))
