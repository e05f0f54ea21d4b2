"""Reads `doctor.yaml` of a release: the parts of the platform that `changeover doctor` looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidRelease
from changeover.model.diagnosis import Organ
from changeover.model.problem import Problem
from changeover.sources.checked import checked, insist
from changeover.sources.expansion import condition, target
from changeover.sources.manifest_doctor import DoctorWritten, PartWritten
from changeover.sources.yamltree import Tree, read_tree

FILE = "doctor.yaml"


@dataclass(frozen=True)
class Described:
    """What a release says for the doctor."""

    params: Mapping[str, Any] = field(default_factory=dict)
    organs: tuple[Organ, ...] = ()
    presumed: bool = False
    """Whether nobody wrote it: it was taken from the steps of a release."""


def read_doctor(folder: Path) -> Described:
    """Read the file of a release folder; raise `InvalidRelease` with all that is wrong in it."""
    described, problems, _ = described_in(folder, str(folder))
    insist(problems, InvalidRelease)
    return described


def described_in(folder: Path, shown: str) -> tuple[Described, list[Problem], Tree]:
    """Return what is described, what is wrong with it, and the file; no file says nothing."""
    if not (folder / FILE).is_file():
        return Described(), [], Tree({})
    tree = read_tree(folder / FILE, FILE if shown == "." else f"{shown}/{FILE}")
    written, problems = checked(DoctorWritten, tree)
    if written is None:
        return Described(), problems, tree
    return Described(written.params, tuple(_organs(written, tree))), problems, tree


def _organs(written: DoctorWritten, tree: Tree) -> Iterator[Organ]:
    for kind in DoctorWritten.model_fields:
        if kind == "params":
            continue
        parts: list[PartWritten] = getattr(written, kind)
        for position, part in enumerate(parts):
            values = part.model_dump(exclude={"on", "when"}, exclude_unset=True)
            where = tree.where((kind, position))
            yield Organ(kind, values, target(part.on), condition(part.when), where)
