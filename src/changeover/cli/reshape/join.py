"""`changeover reshape join`: several edited files, merged into the one that they became."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from changeover.cli.merge.words import pair, read_file
from changeover.cli.reshape.results import (
    FILE,
    Result,
    base_of,
    finish,
    given_answers,
    reshaping,
    telling_errors,
)
from changeover.merge.shapes import gathered, reshaped
from changeover.merge.shares import New, Old


@click.command()
@click.argument("theirs", type=FILE)
@click.option(
    "--of",
    "olds",
    nargs=2,
    multiple=True,
    required=True,
    type=FILE,
    metavar="BASE OURS",
    help="An edited file and its reference; once for each file.",
)
@click.option("-o", "--output", type=FILE, help="Where the result goes.")
@click.option("--renamed", multiple=True, metavar="OLD=NEW", help="A key that has another name.")
@reshaping
def join(
    theirs: Path, olds: tuple[tuple[Path, Path], ...], output: Path | None, **told: Any
) -> None:
    """Merge several edited files into the reference of the one that they became.

    THEIRS is the new reference. Files are laid over each other in the order they are named; where
    one was edited and a later one says something else, that is asked.
    """
    with telling_errors(*_sides(olds), str(theirs)):
        answers = given_answers(told["answers"])
        name = (output or theirs).name
        renamed = dict(map(pair, told["renamed"]))
        news = {name: New(name, read_file(theirs), told["format_"], {}, renamed)}
        sources = [Old(str(ours), base_of(base), read_file(ours), (name,)) for base, ours in olds]
        found = gathered(sources, news, name)
        asked = {conflict.path for conflict in reshaped(found, news[name]).conflicts}
        sides = (*_sides(olds), str(theirs))
        merged = reshaped(found, news[name], answers)
        finish([Result(name, output, merged, sides)], answers, asked, told)


def _sides(olds: tuple[tuple[Path, Path], ...]) -> tuple[str, str]:
    """Return what all references, and all edited files, are called."""
    bases, edited = zip(*olds, strict=True)
    return ", ".join(map(str, bases)), ", ".join(map(str, edited))
