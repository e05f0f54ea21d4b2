"""From a checked `release.yaml` to the `Release` the engine works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidRelease
from changeover.model.problem import Problem
from changeover.model.release import Check, Input, Release, Risk, Stop
from changeover.model.text import Text
from changeover.sources.bundle import bundle_text
from changeover.sources.checked import checked, insist, salvaged
from changeover.sources.configs import made_configs
from changeover.sources.expansion import (
    Expansion,
    PlacedStep,
    Procedure,
    condition,
    made_step,
    target,
)
from changeover.sources.images import ImageList, read_images
from changeover.sources.manifest import (
    CheckWritten,
    ManifestWritten,
    ProcedureWritten,
    RiskWritten,
    StopWritten,
)
from changeover.sources.yamlevents import Mark
from changeover.sources.yamltree import Tree, read_tree

MANIFEST = "release.yaml"


@dataclass(frozen=True)
class Manifest:
    """A release as it was read: its values, and where each step was written."""

    written: ManifestWritten
    tree: Tree
    folder: Path
    procedures: Mapping[str, Procedure]
    steps: Sequence[PlacedStep]
    by_procedure: Mapping[str, Sequence[PlacedStep]]
    images: ImageList = field(default_factory=ImageList)
    problems: list[Problem] = field(default_factory=list)
    """What is wrong although every value has the right shape."""

    def release(self, digest: str) -> Release:
        """Return the value the engine works with; raise `InvalidRelease` with all problems."""
        insist(self.problems, InvalidRelease)
        return _release(self, digest)


def read_manifest(
    folder: Path, shown: str = "", *, salvage: bool = False
) -> tuple[Manifest | None, list[Problem]]:
    """Read the manifest of a release folder, and say all that is wrong with its shape.

    With `salvage` the rest is returned without the keys that are wrong, to be judged as well.
    Raises `InvalidInput` where it is not YAML at all.
    """
    name = shown or str(folder)
    tree = read_tree(folder / MANIFEST, f"{name}/{MANIFEST}" if name != "." else MANIFEST)
    read = salvaged if salvage else checked
    written, problems = read(ManifestWritten, tree)
    procedures, wrong = _procedures(written, tree, folder, name)
    problems += wrong
    if written is None:
        return None, problems
    images, wrong = read_images(written, tree, folder, name)
    problems += wrong
    expansion = Expansion(procedures)
    steps = expansion.steps(written.steps, tree, ("steps",))
    alone = {name: expansion.procedure(name) for name in procedures}
    found = list(dict.fromkeys(expansion.problems))
    return Manifest(written, tree, folder, procedures, steps, alone, images, found), problems


def _procedures(
    written: ManifestWritten | None, tree: Tree, folder: Path, shown: str
) -> tuple[dict[str, Procedure], list[Problem]]:
    inline = written.procedures if written else {}
    found = {n: Procedure(p, tree, ("procedures", n)) for n, p in inline.items()}
    problems: list[Problem] = []
    for path in sorted((folder / "procedures").glob("*.yaml")):
        try:
            other = read_tree(path, f"{shown}/procedures/{path.name}")
        except InvalidInput as error:
            problems.append(Problem(error.message, remedy=error.remedy))
            continue
        if isinstance(other.value, list):
            below = Mark(below={"steps": other.mark})
            other = Tree({"steps": other.value}, other.file, below)
        procedure, wrong = checked(ProcedureWritten, other)
        problems += wrong
        if path.stem in found:
            problems.append(Problem(f"procedure {path.stem} is defined twice", other.where()))
        elif procedure:
            found[path.stem] = Procedure(procedure, other, ())
    return found, problems


def _release(manifest: Manifest, digest: str) -> Release:
    written, tree = manifest.written, manifest.tree
    return Release(
        product=written.product,
        version=written.version,
        folder=manifest.folder,
        digest=digest,
        origins=written.from_,
        stops=made_stops(written.stops),
        withdrawn=Text(written.withdrawn),
        title=Text(written.title),
        impact=written.impact,
        revision=written.revision,
        requires=written.requires,
        editions=tuple(written.editions),
        methods=tuple(written.methods),
        modules=written.modules,
        images=manifest.images.images,
        inputs=_inputs(written, tree),
        deploys=written.deploys,
        probe=written.probe,
        checks=tuple(_check(c, tree, i) for i, c in enumerate(written.checks)),
        risks=made_risks(written.risks, tree),
        configs=made_configs(written.configs),
        procedures={n: _only_steps(steps) for n, steps in manifest.by_procedure.items()},
        procedure_titles={n: Text(p.written.title) for n, p in manifest.procedures.items()},
        steps=_only_steps(manifest.steps),
        notes=_notes(manifest.folder, written.notes),
        waived=written.waived,
    )


def _only_steps(placed: Sequence[PlacedStep]) -> tuple[Any, ...]:
    return tuple(p.step for p in placed)


def _inputs(written: ManifestWritten, tree: Tree) -> tuple[Input, ...]:
    return tuple(
        Input(
            name,
            i.type,
            i.default,
            i.required,
            i.pattern,
            tuple(i.choices),
            i.secret,
            Text(i.ask),
            tree.where(("inputs", name)),
        )
        for name, i in written.inputs.items()
    )


def made_stops(stops: Sequence[StopWritten]) -> tuple[Stop, ...]:
    """Make the stops a route must keep."""
    return tuple(Stop(s.version, condition(s.when)) for s in stops)


def made_risks(risks: Sequence[RiskWritten], tree: Tree) -> tuple[Risk, ...]:
    """Make the risks of a release, each with the place it was written at."""
    return tuple(
        Risk(
            r.id or f"risk-{i + 1}",
            condition(r.when),
            r.level,
            Text(r.text),
            tree.where(("risks", i)),
        )
        for i, r in enumerate(risks)
    )


def _check(written: CheckWritten, tree: Tree, position: int) -> Check:
    place = ("checks", position)
    fixes = enumerate(written.fix)
    return Check(
        id=written.id,
        use=written.use,
        with_=written.with_,
        on=target(written.on),
        when=condition(written.when),
        level=written.level,
        text=Text(written.text),
        remedy=Text(written.remedy),
        fix=tuple(made_step(f, tree.where((*place, "fix", i))) for i, f in fixes),
        where=tree.where(place),
        procedures=tuple(written.for_),
    )


def _notes(folder: Path, notes: Mapping[str, str]) -> Text:
    return Text({language: _note(folder, said) for language, said in notes.items()})


def _note(folder: Path, said: str) -> str:
    is_file = said.endswith((".md", ".txt")) and "\n" not in said
    return bundle_text(folder, said) if is_file else said
