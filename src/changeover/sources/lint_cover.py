"""Whether a backup covers what a release writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from changeover.model.problem import Problem, suggestion
from changeover.model.release import Phase, Step
from changeover.sources.expansion import PlacedStep
from changeover.sources.lint_steps import Actions
from changeover.sources.manifest_build import Manifest

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


def cover_problems(manifest: Manifest, actions: Actions) -> Iterator[Problem]:
    """Report every write that no backup of the same run covers, waivable by name."""
    for steps in (manifest.steps, *manifest.by_procedure.values()):
        ordered = sorted(steps, key=lambda placed: _RANK[placed.step.phase])
        for position, placed in enumerate(ordered):
            yield from _uncovered(placed, ordered[:position], actions)
            yield from _wrong_names(placed, ordered[:position], steps, actions)


def _uncovered(
    placed: PlacedStep, before: Sequence[PlacedStep], actions: Actions
) -> Iterator[Problem]:
    step = placed.step
    for kind in _kinds(step, "writes", actions):
        backups = [b.step for b in before if kind in _kinds(b.step, "covers", actions)]
        named = [b for b in backups if b.id in step.covered_by]
        if named or (not step.covered_by and any(_same_thing(step, b) for b in backups)):
            continue
        message = f"step {step.id} writes to a {kind} that no backup before it covers"
        remedy = (
            f"add a step that backs up the {kind} before it, or waive uncovered-write:{step.id}"
        )
        where = placed.tree.where(placed.place)
        yield Problem(message, where, remedy, name=f"uncovered-write:{step.id}")


def _wrong_names(
    placed: PlacedStep, before: Sequence[PlacedStep], every: Sequence[PlacedStep], actions: Actions
) -> Iterator[Problem]:
    ids = {p.step.id: p.step for p in every}
    earlier = {p.step.id for p in before}
    for name in placed.step.covered_by:
        where = placed.tree.where((*placed.place, "covered_by"))
        if name not in ids:
            message = f"covered_by: no step is called `{name}`"
            yield Problem(message, where, suggestion(name, ids))
        elif name not in earlier:
            message = f"covered_by: step {name} runs after {placed.step.id}"
            yield Problem(message, where, "move it to an earlier phase")
        elif not _kinds(ids[name], "covers", actions):
            message = f"covered_by: step {name} ({ids[name].use}) backs up nothing"
            yield Problem(message, where, "name a backup step")


def _kinds(step: Step, which: str, actions: Actions) -> tuple[str, ...]:
    action = actions.find(step.use)
    found: tuple[str, ...] = getattr(action, which, ()) if action else ()
    return found


def _same_thing(write: Step, backup: Step) -> bool:
    """Whether both name the same database or folder, or at least one does not say."""
    for word in ("database", "url", "folder", "path"):
        one, other = _said(write, word), _said(backup, word)
        if one is not None and other is not None and one != other:
            return False
    return True


def _said(step: Step, word: str) -> Any:
    return step.with_.get(word)
