"""Everything that is wrong with a release, or doubtful, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.problem import WARNING, Problem, suggestion
from changeover.sources.bundle import bundle_files
from changeover.sources.expansion import PlacedStep
from changeover.sources.lint_configs import config_problems
from changeover.sources.lint_cover import cover_problems
from changeover.sources.lint_doctor import doctor_problems
from changeover.sources.lint_images import image_problems
from changeover.sources.lint_manifest import manifest_problems
from changeover.sources.lint_secrets import secret_problems
from changeover.sources.lint_steps import Actions, Installed, step_problems
from changeover.sources.lint_templates import Names, template_problems
from changeover.sources.lint_text import text_problems
from changeover.sources.manifest_build import Manifest, read_manifest


def lint_release(folder: Path, installed: Installed) -> list[Problem]:
    """Return all problems of a release folder, by place; what its author waived is left out."""
    try:
        manifest, problems = read_manifest(folder, salvage=True)
    except InvalidInput as error:
        return [Problem(error.message, remedy=error.remedy)]
    problems += _bundle(folder)
    waived: Mapping[str, str] = {}
    if manifest is not None:
        problems += [*manifest.problems, *_all_checks(manifest, Actions.of(installed))]
        waived = manifest.written.waived
        problems += _useless_waivers(manifest, problems)
    kept = [p for p in dict.fromkeys(problems) if not p.name or p.name not in waived]
    return sorted(kept, key=_by_place)


def every_step(manifest: Manifest) -> list[PlacedStep]:
    """Return the steps of the upgrade and of all procedures, each place once."""
    found: dict[tuple[str, Any], PlacedStep] = {}
    for steps in (manifest.steps, *manifest.by_procedure.values()):
        for placed in steps:
            found.setdefault((placed.tree.file, placed.place), placed)
    return list(found.values())


def _all_checks(manifest: Manifest, actions: Actions) -> Iterator[Problem]:
    names = Names(frozenset(manifest.written.inputs))
    steps = every_step(manifest)
    yield from manifest_problems(manifest)
    yield from image_problems(manifest, steps)
    yield from step_problems(manifest, steps, actions)
    yield from config_problems(manifest, steps, actions)
    yield from cover_problems(manifest, actions)
    yield from template_problems(manifest, steps, names)
    yield from doctor_problems(manifest.folder, names)
    yield from secret_problems(steps)
    yield from text_problems(manifest)


def _bundle(folder: Path) -> Iterator[Problem]:
    try:
        for _ in bundle_files(folder):
            pass
    except InvalidInput as error:
        yield Problem(error.message, remedy=error.remedy)


def _useless_waivers(manifest: Manifest, problems: Iterable[Problem]) -> Iterator[Problem]:
    names = {p.name for p in problems if p.name}
    for name, reason in manifest.written.waived.items():
        where = manifest.tree.where(("waived", name), key=True)
        if name not in names:
            remedy = suggestion(name, names) or "remove it"
            yield Problem(f"`{name}` waives nothing", where, remedy, WARNING)
        elif not reason.strip():
            yield Problem(f"`{name}` is waived without a reason", where, "say why")


def _by_place(problem: Problem) -> tuple[str, int, int]:
    return problem.where.file, problem.where.line, problem.where.column
