"""Compare what is with what was planned."""

from __future__ import annotations

from dataclasses import replace

from changeover.engine.planner import UNFORESEEN
from changeover.errors import PlanStale
from changeover.model.plan import Change, Hop, Plan, PlannedStep
from changeover.model.release import Where


def differences(planned: Change, found: Change) -> list[str]:
    """Name what moved since a step was planned; empty where nothing did.

    Facts an earlier step of the run moves are not compared, nor is what follows from them.
    """
    if planned.unforeseen:
        return []
    moved = [
        f"{name}: was {value}, is {found.facts.get(name, 'gone')}"
        for name, value in planned.facts.items()
        if value != UNFORESEEN and found.facts.get(name) not in (value, UNFORESEEN)
    ]
    if moved or UNFORESEEN in planned.facts.values():
        return moved
    if planned.effect is not found.effect:
        return [f"would {planned.effect} ({planned.summary}), now {found.effect}: {found.summary}"]
    return [f"the change to make is another one: {found.summary}"] * (planned.diff != found.diff)


def boundary_differences(outline: Hop, hop: Hop) -> list[str]:
    """Name what is otherwise than approved where a hop is planned again at its boundary."""
    approved = {step.key: step.change for step in outline.steps}
    return [line for step in hop.steps for line in _otherwise(approved.get(step.key), step)]


def _otherwise(approved: Change | None, step: PlannedStep) -> list[str]:
    if approved is None or not (approved.needed or approved.unforeseen):
        return [f"{step.key}: {step.change.summary}"] if step.change.needed else []
    return [f"{step.key}: {line}" for line in differences(approved, step.change)]


def refuse_moved_version(plan: Plan, installed: str) -> None:
    """Raise `PlanStale` where another version is there than when the plan was made."""
    if plan.installed != installed:
        raise PlanStale(
            f"the plan no longer fits what is there: installed was {plan.installed or 'nothing'}, "
            f"is {installed or 'nothing'}",
            "plan again: changeover plan",
        )


def refuse_stale(plan: Plan, fresh: Plan) -> None:
    """Raise `PlanStale`, naming every fact that moved, where a plan no longer fits the hosts."""
    moved = moved_since(plan, fresh)
    if moved:
        raise PlanStale(
            "the plan no longer fits what is there:\n  " + "\n  ".join(moved),
            "look at what changed and plan again: changeover plan",
        )


def moved_since(saved: Plan, fresh: Plan) -> list[str]:
    """Name every fact that moved between a saved plan and one made now."""
    found = {step.key: step for step in fresh.steps}
    lines = [line for step in saved.steps for line in _moved(step, found.pop(step.key, None))]
    lines += [f"{key}: was not in the plan" for key in found]
    for old, new in zip(saved.hops, fresh.hops, strict=False):
        if old.digest != new.digest:
            lines.append(f"release {old.version}: its files changed since the plan was made")
    return lines


def _moved(planned: PlannedStep, found: PlannedStep | None) -> list[str]:
    if found is None:
        return [f"{planned.key}: is no longer needed here"]
    moved = differences(planned.change, found.change)
    if not moved and planned.change.commands != found.change.commands:
        moved = [f"would run {'; '.join(planned.change.commands)}, now others"]
    if not moved and replace(planned.step, where=Where()) != replace(found.step, where=Where()):
        moved = ["the step is written otherwise now"]
    if not moved and (planned.mode, planned.reversible) != (found.mode, found.reversible):
        moved = ["there is another way back from it now"]
    return [f"{planned.key}: {line}" for line in moved]
