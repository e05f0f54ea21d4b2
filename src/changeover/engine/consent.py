"""Ask for all that an undo would lose before its first step, while what runs still serves.

A question in the middle of a way back is asked of a platform that was stopped already. What users
write between the yes and the stop is seen by the step itself, which asks again where it grew.
"""

from __future__ import annotations

from collections.abc import Iterator

from changeover.engine.attempt import Crew, loss_gate, pass_gate
from changeover.engine.planner import UNFORESEEN
from changeover.errors import GateClosed
from changeover.model.plan import Mode, Plan, PlannedStep


def agreed(way: Plan, crew: Crew) -> Plan:
    """Return a way back that nothing known stands against; raise `GateClosed` before any step."""
    refused = [step for step in _losing(way, crew) if not _agreed(step, crew)]
    if refused:
        raise GateClosed(
            "; ".join(f"{step.key}: {step.change.question}" for step in refused),
            _remedy(refused, ended=crew.journal.state.stage.ended),
        )
    return way


def _losing(way: Plan, crew: Crew) -> Iterator[PlannedStep]:
    """Yield the steps whose loss is known now; what the steps before them decide is not."""
    for step in way.steps:
        known = step.mode is Mode.UNDO and UNFORESEEN not in step.change.facts.values()
        if known and step.change.question and not crew.journal.state.of(step.key).settled:
            yield step


def _agreed(step: PlannedStep, crew: Crew) -> bool:
    try:
        pass_gate(crew.journal, crew.operator, loss_gate(step.key, step.change))
    except GateClosed:
        return False  # the others are asked as well: one answer, not one an undo
    return True


def _remedy(refused: list[PlannedStep], *, ended: bool) -> str:
    names = " ".join(dict.fromkeys(f"--approve {step.step.id}" for step in refused))
    onward = "" if ended else "; or mend what failed and go on: changeover resume"
    return f"nothing was taken back; to go back all the same: changeover undo {names}{onward}"
