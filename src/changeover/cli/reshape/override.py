"""`changeover reshape override`: an edited file, reduced to what it says beyond the vendor's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from changeover.cli.merge.words import read_file
from changeover.cli.reshape.results import (
    FILE,
    Result,
    base_of,
    finish,
    given_answers,
    reshaping,
    telling_errors,
)
from changeover.merge.catalogue import detect
from changeover.merge.encoding import decode
from changeover.merge.engine import merge
from changeover.merge.following import followed
from changeover.merge.reducing import layered_texts, reduced
from changeover.merge.verdict import Merged


@click.command()
@click.argument("base", type=FILE)
@click.argument("ours", type=FILE)
@click.argument("theirs", type=FILE)
@click.option("-o", "--output", type=FILE, help="Where the override goes.")
@click.option("--over", type=FILE, help="An override that is there already: it is kept.")
@reshaping
def override(
    base: Path, ours: Path, theirs: Path, output: Path | None, over: Path | None, **told: Any
) -> None:
    """Reduce an edited file to an override that lies over the vendor's new one.

    BASE is the reference OURS was made from, THEIRS the new one, which stays untouched: together
    with the override it means what a merge of the three would. What was taken out of OURS an
    override cannot say: that is asked. OURS may be - where all differences are in --over already.
    """
    with telling_errors(str(base), str(ours), str(theirs)):
        answers = given_answers(told["answers"])
        reference, old = read_file(theirs), base_of(base)
        form = told["format_"] or detect(theirs.name, decode(reference).text)
        sources = [None if str(ours) == "-" else read_file(ours), read_file(over) if over else None]
        name = theirs.name
        asked = {c.path for c in _override(sources, (old, reference), form, name, {}).conflicts}
        merged = _override(sources, (old, reference), form, name, answers)
        sides = (str(base), str(ours), str(theirs))
        finish([Result(name, output, merged, sides)], answers, asked, told)


def _override(
    sources: list[bytes | None],
    references: tuple[bytes | None, bytes],
    form: str,
    name: str,
    answers: dict[str, str],
) -> Merged:
    """Merge, reduce, and lay the result over an override that is there."""
    base, theirs = references
    edited, over = sources
    found: list[Merged] = []
    if over is not None:
        found.append(followed(base, over, theirs, name=name, format=form, answers=answers))
    if edited is not None:
        whole = merge(base, edited, theirs, name=name, format=form, answers=answers)
        made = reduced(whole.text, theirs, name=name, format=form, answers=answers)
        found.append(replace(made, conflicts=(*whole.conflicts, *made.conflicts),
                             notes=whole.notes))  # fmt: skip
    text = layered_texts([one.text for one in found], format=form)
    conflicts = {c.path: c for one in found for c in one.conflicts}
    notes = tuple(note for one in found for note in one.notes)
    return Merged(text, tuple(conflicts.values()), notes, form)
