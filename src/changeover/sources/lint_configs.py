"""What is wrong with configuration files: references, renamed settings, files nobody writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.config import ANY, Config
from changeover.model.problem import WARNING, Problem, suggestion
from changeover.model.release import Where
from changeover.sources.bundle import bundle_path, bundle_text, is_rendered
from changeover.sources.configs import MERGE, made_configs
from changeover.sources.expansion import PlacedStep
from changeover.sources.lint_shapes import older_manifests, shape_problems
from changeover.sources.lint_steps import Actions, Misfit
from changeover.sources.lint_templates import Names, text_template_problems
from changeover.sources.manifest_build import Manifest
from changeover.sources.template import is_template
from changeover.sources.trial import Variant, variants
from changeover.sources.yamltree import Place

Flaws = Callable[[bytes, Mapping[str, Any], Sequence[bytes]], Iterable[Misfit]]
"""Says what is wrong with a reference, told what the release says of it, and its predecessors."""


@dataclass(frozen=True)
class _File:
    """One entry of `configs:`."""

    name: str
    config: Config
    manifest: Manifest

    def where(self, *words: str) -> Where:
        place: Place = ("configs", self.name, *words)
        return self.manifest.tree.where(place, key=bool(words))


def config_problems(
    manifest: Manifest, steps: list[PlacedStep], actions: Actions
) -> Iterator[Problem]:
    """Report what is wrong with the configuration files of a release and the steps for them."""
    configs = made_configs(manifest.written.configs)
    users: dict[str, PlacedStep] = {}
    for placed in (p for p in steps if p.step.use == MERGE):
        name = placed.step.with_.get("config")
        if name and name not in configs:
            where = placed.tree.where((*placed.place, "with", "config"))
            remedy = suggestion(str(name), configs) or "define it under `configs:`"
            yield Problem(f"no configuration file is called `{name}`", where, remedy)
        elif name:
            users.setdefault(str(name), placed)
    flaws: Flaws | None = getattr(actions.find(MERGE), "flaws", None)
    for name, config in configs.items():
        file = _File(name, config, manifest)
        yield from _unused(file, users)
        yield from _methods(file, users)
        yield from _bundled(file, users)
        yield from _flaws(file, flaws) if flaws else ()
    yield from shape_problems(manifest, configs, users)


def _unused(file: _File, users: Mapping[str, PlacedStep]) -> Iterator[Problem]:
    if file.name not in users:
        message = f"no step merges the configuration file `{file.name}`"
        remedy = f"write a step `use: {MERGE}, with: {{config: {file.name}}}`"
        name = f"unused-config:{file.name}"
        yield Problem(message, file.where(), remedy, WARNING, name)


def _methods(file: _File, users: Mapping[str, PlacedStep]) -> Iterator[Problem]:
    known = file.manifest.written.methods
    steps_say = file.name in users and "path" in users[file.name].step.with_
    for word, told in (("at", file.config.at), ("reference", file.config.reference)):
        for method in told:
            if method != ANY and method not in known:
                where = file.where(word, method)
                message = f"`{method}` is not a method of this release"
                yield Problem(message, where, suggestion(method, known))
        lacking = [m for m in known or (ANY,) if not file.config.variant(told, m)]
        if lacking and not (word == "at" and steps_say):
            whom = f" for the method `{lacking[0]}`" if known else ""
            message = f"configs.{file.name}: `{word}` is not said{whom}"
            yield Problem(message, file.where(word if told else "reference"), f"add `{word}:`")


def _bundled(file: _File, users: Mapping[str, PlacedStep]) -> Iterator[Problem]:
    folder = file.manifest.folder
    user = users.get(file.name)
    params = frozenset(user.step.params[-1]) if user and user.step.params else None
    names = Names(frozenset(file.manifest.written.inputs), params)
    bundled = [("reference", name) for name in file.config.reference.values()]
    bundled += [("base", file.config.base)] if file.config.base else []
    for word, name in bundled:
        if is_template(name):
            continue
        try:
            bundle_path(folder, name)
            if is_rendered("reference", name):
                where = Where(str(folder / name), 1, 1)
                yield from text_template_problems(bundle_text(folder, name), where, names)
        except InvalidInput as error:
            yield Problem(error.message, file.where(word), error.remedy)


def _flaws(file: _File, flaws: Flaws) -> Iterator[Problem]:
    written = file.manifest.written
    found = variants(file.manifest.folder, file.config, written.methods, written.editions)
    before = [v.text for v in _previous(file)]
    told = {"path": next(iter(file.config.at.values()), file.name), **vars(file.config)}
    said = [(v, list(flaws(v.text, told, before))) for v in found]
    messages = [{misfit.message for misfit in wrong} for _, wrong in said]
    # A setting may be there on some instances alone: only what no variant has is missing.
    everywhere = set.intersection(*messages) if messages else set()
    seen: set[str] = set()
    for variant, wrong in said:
        for misfit in wrong:
            unreadable = misfit.parameter == "reference"
            if misfit.message not in seen and (unreadable or misfit.message in everywhere):
                seen.add(misfit.message)
                yield _problem(file, variant, misfit)


def _problem(file: _File, variant: Variant, misfit: Misfit) -> Problem:
    where = file.where(misfit.parameter)
    if misfit.parameter != "reference" or not variant.tried:
        return Problem(f"configs.{file.name}: {misfit.message}", where, misfit.remedy)
    message = f"configs.{file.name}: {variant.file}, rendered on trial: {misfit.message}"
    remedy = "correct it, or waive it where the values of instances make the difference"
    return Problem(message, where, remedy, WARNING, f"reference:{file.name}")


def _previous(file: _File) -> list[Variant]:
    """Return the references of the release before this one, where it lies beside it."""
    older = older_manifests(file.manifest)
    before = next((one for one in older if file.name in one.written.configs), None)
    if before is None:
        return []
    config = made_configs(before.written.configs)[file.name]
    return variants(before.folder, config, before.written.methods, before.written.editions)
