"""The order in which the steps of a release run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from changeover.actions.builtin import find
from changeover.errors import InvalidInput
from changeover.model.instance import SiteStep
from changeover.model.plan import PlannedStep
from changeover.model.release import Phase, Release, Step

UPGRADE = "upgrade"
"""The procedure a release is for; every other one is run by its name."""

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


def steps_of(release: Release, procedure: str, added: Iterable[SiteStep] = ()) -> list[Step]:
    """Return a procedure's steps by phase, the operator's own where they were put."""
    if procedure != UPGRADE and procedure not in release.procedures:
        known = ", ".join(sorted(release.procedures)) or "none"
        raise InvalidInput(
            f"{release.product} {release.version} has no procedure {procedure}", f"it has: {known}"
        )
    own = release.steps if procedure == UPGRADE else release.procedures[procedure]
    steps = sorted(own, key=lambda step: _RANK[step.phase])
    for addition in added if procedure == UPGRADE else ():
        _insert(steps, addition)
    return steps


def only_looks(release: Release, procedure: str) -> bool:
    """Whether no step of a procedure ever changes anything: its plan is already its answer."""
    steps = steps_of(release, procedure)
    return bool(steps) and all(find(step.use).looks for step in steps)


def groups(steps: Sequence[PlannedStep]) -> Iterator[list[PlannedStep]]:
    """Yield the same step of all its hosts together."""
    for _, same in groupby(steps, key=lambda s: (s.release, s.step.id, s.mode)):
        yield list(same)


def batches(group: list[PlannedStep]) -> Iterator[list[PlannedStep]]:
    """Cut a group into as many hosts at a time as its step allows."""
    size = group[0].step.on.batch or len(group)
    for start in range(0, len(group), size):
        yield group[start : start + size]


def _insert(steps: list[Step], addition: SiteStep) -> None:
    anchor, before = addition.anchor, addition.place == "before"
    if anchor in [phase.value for phase in Phase]:
        phase = Phase(anchor)
        limit = _RANK[phase] if before else _RANK[phase] + 1
        at = sum(_RANK[s.phase] < limit for s in steps)
        steps.insert(at, replace(addition.step, phase=phase))
        return
    at = next((i for i, s in enumerate(steps) if s.id == anchor), -1)
    if at < 0:
        raise InvalidInput(
            f"site step {addition.step.id}: no step or phase {anchor}",
            f"put it {addition.place} one of: " + ", ".join(s.id for s in steps),
        )
    own = replace(addition.step, phase=steps[at].phase)
    steps.insert(at if before else at + 1, own)
