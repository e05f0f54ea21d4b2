"""`changeover reshape split`: one edited file, divided among several new references."""

from __future__ import annotations

from collections.abc import Mapping
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
    only_folder,
    reshaping,
    telling_errors,
)
from changeover.errors import InvalidInput
from changeover.merge.shapes import Gathered, gathered, reshaped
from changeover.merge.shares import New, Old


@click.command()
@click.argument("base", type=FILE)
@click.argument("ours", type=FILE)
@click.argument("parts", nargs=-1, required=True, type=FILE, metavar="PART...")
@click.option("--into", type=FILE, help="The folder the merged files go to.")
@click.option("--renamed", multiple=True, metavar="OLD=NEW", help="A key that has another name.")
@reshaping
def split(base: Path, ours: Path, parts: tuple[Path, ...], into: Path | None, **told: Any) -> None:
    """Divide an edited file among the references of the files that it became.

    BASE is the reference OURS was made from; each PART is a new reference. Every setting goes where
    the references have it. What was added to something several of them have is asked about:
    --answer PATH=PART names its file. A PART that is called like OURS keeps such additions.
    """
    with telling_errors(str(base), str(ours), ", ".join(map(str, parts))):
        if len({part.name for part in parts}) < len(parts):
            raise InvalidInput("two parts have one name", "give each its own file name")
        if into is None and not (told["check"] or told["as_json"]):
            raise InvalidInput("nothing says where the files go", "--into FOLDER, or --check")
        folder = only_folder(into) if into else None
        answers = given_answers(told["answers"])
        renamed = dict(map(pair, told["renamed"]))
        news = {p.name: New(p.name, read_file(p), told["format_"], {}, renamed) for p in parts}
        stays = ours.name if ours.name in news else ""
        old = Old(str(ours), base_of(base), read_file(ours), tuple(news), stays)
        asked = {name: gathered([old], news, name) for name in news}
        homes = _homes(asked, answers, tuple(news))
        found = {name: gathered([old], news, name, homes) for name in news}
        conflicts = {c.path for n in news for c in reshaped(asked[n], news[n]).conflicts}
        results = [
            Result(part.name, folder / part.name if folder else None,
                   reshaped(found[part.name], news[part.name], answers),
                   (str(base), str(ours), str(part)))
            for part in parts
        ]  # fmt: skip
        finish(results, answers, conflicts, told)


def _homes(
    asked: Mapping[str, Gathered], answers: Mapping[str, str], names: tuple[str, ...]
) -> dict[str, str]:
    """Return the files that additions go to, as far as somebody said so."""
    chosen: dict[str, str] = {}
    for name, found in asked.items():
        for path in (conflict.path for conflict in found.homeless):
            said = answers.get(path)
            home = {"ours": name, "theirs": "", None: None}.get(said, said)
            if home is not None and home not in ("", *names):
                raise InvalidInput(
                    f"--answer {path}={said}: no part is called so", f"one of {', '.join(names)}"
                )
            chosen |= {} if home is None else {path: home}
    return chosen
