"""Compare what is with what was planned."""

from __future__ import annotations

from changeover.engine.planner import UNFORESEEN
from changeover.model.plan import Change, Plan, PlannedStep


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


def moved_since(saved: Plan, fresh: Plan) -> list[str]:
    """Name every fact that moved between a saved plan and one made now."""
    found = {step.key: step for step in fresh.steps}
    lines = [line for step in saved.steps for line in _moved(step, found.pop(step.key, None))]
    lines += [f"{key}: was not in the plan" for key in found]
    for old, new in zip(saved.hops, fresh.hops, strict=False):
        if old.digest != new.digest:
            lines.append(f"release {old.version}: its files changed since the plan was made")
    if saved.installed != fresh.installed:
        lines.insert(0, f"installed version: was {saved.installed}, is {fresh.installed}")
    return lines


def _moved(planned: PlannedStep, found: PlannedStep | None) -> list[str]:
    if found is None:
        return [f"{planned.key}: is no longer needed here"]
    return [f"{planned.key}: {line}" for line in differences(planned.change, found.change)]
