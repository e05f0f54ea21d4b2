"""What is wrong with single steps and checks: actions, parameters, files, order, undo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from changeover.errors import InvalidInput
from changeover.model.problem import WARNING, Problem, suggestion
from changeover.model.release import Phase
from changeover.sources.bundle import bundle_path, bundle_words
from changeover.sources.configs import MERGE, made_configs, merge_words
from changeover.sources.expansion import PlacedStep
from changeover.sources.manifest_build import Manifest
from changeover.sources.yamltree import Place, Tree

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


class Misfit(Protocol):
    """Something wrong with the parameters of a step."""

    @property
    def parameter(self) -> str:
        """Which one; empty if it is not about one."""

    @property
    def message(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> str:
        """What to write instead."""


class Installed(Protocol):
    """Where actions are looked up; `changeover.actions.builtin` is one such place."""

    def known(self) -> Mapping[str, str]:
        """Return the names of all actions."""

    def find(self, use: str) -> type:
        """Return the class of one."""

    def problems(self, use: str, params: Mapping[str, Any]) -> Iterable[Misfit]:
        """Report all that is wrong with the parameters of a step."""


@dataclass(frozen=True)
class Actions:
    """The installed actions, listed once: looking for plug-ins takes its time."""

    installed: Installed
    names: frozenset[str]

    @staticmethod
    def of(installed: Installed) -> Actions:
        """List the actions."""
        return Actions(installed, frozenset(installed.known()))

    def find(self, use: str) -> type | None:
        """Return the class of an action, or None where there is none."""
        return self.installed.find(use) if use in self.names else None


@dataclass(frozen=True)
class _Used:
    """Somewhere an action is named with parameters."""

    use: str
    params: Mapping[str, Any]
    tree: Tree
    place: Place


def step_problems(
    manifest: Manifest, steps: list[PlacedStep], actions: Actions
) -> Iterator[Problem]:
    """Report what is wrong with the steps and checks of a release."""
    for used in _uses(manifest, steps):
        yield from _action(used, actions)
        yield from _files(used, manifest)
    for placed in steps:
        yield from _undo(placed, actions)
    yield from _phases(steps)


def _uses(manifest: Manifest, steps: list[PlacedStep]) -> Iterator[_Used]:
    configs = made_configs(manifest.written.configs)
    for placed in steps:
        params = merge_words(placed.step.with_, configs, manifest.written.methods)
        told = params if placed.step.use == MERGE else placed.step.with_
        yield _Used(placed.step.use, told, placed.tree, placed.place)
    for position, check in enumerate(manifest.written.checks):
        place: Place = ("checks", position)
        yield _Used(check.use, check.with_, manifest.tree, place)
        for number, fix in enumerate(check.fix):
            yield _Used(fix.use or "", fix.with_, manifest.tree, (*place, "fix", number))


def _action(used: _Used, actions: Actions) -> Iterator[Problem]:
    if used.use not in actions.names:
        remedy = suggestion(used.use, actions.names)
        where = used.tree.where((*used.place, "use"))
        yield Problem(f"no action is called `{used.use}`", where, remedy)
        return
    params, files = _with_content(used)
    for misfit in actions.installed.problems(used.use, params):
        word = files if misfit.parameter == "content" and files else misfit.parameter
        where = used.tree.where((*used.place, "with", word), key=True)
        message = misfit.message.removeprefix(f"{used.use}: ")
        yield Problem(f"{used.use}: {message}", where, misfit.remedy)


def _with_content(used: _Used) -> tuple[Mapping[str, Any], str]:
    """Put a template in the place of what a file of the bundle will be."""
    params = used.params
    word = next((w for w in bundle_words(used.use) if w in params), "")
    if not word or "content" in params:
        return params, ""
    others = {name: value for name, value in params.items() if name != word}
    return {**others, "content": "{{ file }}"}, word


def _files(used: _Used, manifest: Manifest) -> Iterator[Problem]:
    for word in bundle_words(used.use):
        name = used.params.get(word)
        if not isinstance(name, str) or "{{" in name or "{%" in name:
            continue
        try:
            bundle_path(manifest.folder, name)
        except InvalidInput as error:
            where = used.tree.where((*used.place, "with", word))
            yield Problem(error.message, where, error.remedy)


def _undo(placed: PlacedStep, actions: Actions) -> Iterator[Problem]:
    step = placed.step
    action = actions.find(step.use)
    if action is None:
        return
    where = placed.tree.where(placed.place)
    needs_none = any(getattr(action, word, False) for word in ("harmless", "refreshes"))
    # `command.run` can be undone where its parameters say how.
    takes_back = hasattr(action, "undo") or any(word.startswith("undo_") for word in step.with_)
    if step.undo == "action" and not needs_none and not takes_back:
        message = f"nothing can undo step {step.id} ({step.use})"
        remedy = "say `undo: none` (no way back), or `undo: nothing` (needs none)"
        yield Problem(message, where, remedy, WARNING, f"no-undo:{step.id}")
    if step.undo == "none" and not step.approval:
        message = f"there is no way back from step {step.id}, and it asks nobody"
        remedy = "ask with `approval:` before it"
        yield Problem(message, where, remedy, WARNING, f"no-approval:{step.id}")


def _phases(steps: list[PlacedStep]) -> Iterator[Problem]:
    latest: dict[tuple[int, Place], PlacedStep] = {}
    for placed in steps:
        siblings = (id(placed.tree), placed.place[:-1])
        before = latest.get(siblings)
        if before and _RANK[placed.step.phase] < _RANK[before.step.phase]:
            message = (
                f"step {placed.step.id} ({placed.step.phase}) is written after "
                f"{before.step.id} ({before.step.phase}) and runs before it"
            )
            where = placed.tree.where(placed.place)
            name = f"phase-order:{placed.step.id}"
            yield Problem(message, where, "write the steps in the order they run", WARNING, name)
        else:
            latest[siblings] = placed
