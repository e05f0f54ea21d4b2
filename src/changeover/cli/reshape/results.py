"""What the commands of `changeover reshape` have in common: their options, and what they tell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Any

import click

from changeover.cli.merge.lines import conflict_lines
from changeover.cli.merge.words import answer_pair, read_file, write_file
from changeover.errors import ChangeoverError, InvalidInput
from changeover.merge.verdict import Merged, Unreadable

CONFLICTS, UNREADABLE = 1, 2
FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Result:
    """One file that came out of it."""

    name: str
    """What it is called in what is told."""
    target: Path | None
    """Where it is written; None for the standard output."""
    merged: Merged
    sides: tuple[str, str, str]
    """What base, ours and theirs are called."""


def reshaping(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options every command has."""
    options = (
        click.option("--check", is_flag=True, help="Say what would happen; write nothing."),
        click.option("--json", "as_json", is_flag=True, help="Report as JSON."),
        click.option("--format", "format_", help="The format, where the name does not tell it."),
        click.option("--answer", "answers", multiple=True, metavar="PATH=ANSWER",
                     help="Settle a conflict: ours, theirs or a value; may be repeated."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def given_answers(texts: Iterable[str]) -> dict[str, str]:
    """Read the answers; raises `InvalidInput`."""
    return dict(map(answer_pair, texts))


def base_of(path: Path) -> bytes | None:
    """Return the reference a file was made from; `-` and an empty file mean that there is none."""
    return None if str(path) in ("-", "/dev/null") else read_file(path) or None


@contextmanager
def telling_errors(base: str, ours: str, theirs: str) -> Iterator[None]:
    """End with status 2 where a file cannot be read; say which, as the operator typed it."""
    try:
        yield
    except ChangeoverError as error:
        names = {"base": base, "ours": ours, "theirs": theirs}
        click.echo(f"changeover: {_placed(error, names)}", err=True)
        if error.remedy:
            click.echo(f"  Try: {error.remedy}", err=True)
        sys.exit(UNREADABLE)


def _placed(error: ChangeoverError, names: Mapping[str, str]) -> str:
    if not isinstance(error, Unreadable):
        return error.message
    side, _, what = error.what.partition(": ")
    if side not in names:
        return error.message
    place = [names[side], error.line, error.column]
    return f"{':'.join(str(part) for part in place if part is not None)}: {what}"


def finish(
    results: Sequence[Result],
    answers: Mapping[str, str],
    asked: set[str],
    options: Mapping[str, Any],
) -> None:
    """Tell what came out, write it, and end with the status that says so."""
    for path in sorted(answers.keys() - asked):
        click.echo(f"note: --answer {path}: there is no such conflict", err=True)
    if not options["check"]:
        for result in results:
            _put(result, as_json=options["as_json"])
    if options["as_json"]:
        click.echo(dumps([_row(result) for result in results], indent=2))
    else:
        _tell(results)
    if any(not result.merged.clean for result in results):
        sys.exit(CONFLICTS)


def _put(result: Result, *, as_json: bool) -> None:
    if result.target is not None:
        write_file(result.target, result.merged.text)
    elif not as_json:
        sys.stdout.buffer.write(result.merged.text)
        sys.stdout.buffer.flush()


def _row(result: Result) -> dict[str, Any]:
    merged = result.merged
    return {
        "file": result.name,
        "written": str(result.target) if result.target else None,
        "format": merged.format,
        "clean": merged.clean,
        "conflicts": [asdict(conflict) for conflict in merged.conflicts],
        "notes": [asdict(note) for note in merged.notes],
    }


def _tell(results: Sequence[Result]) -> None:
    for result in results:
        for conflict in result.merged.conflicts:
            for line in conflict_lines(conflict, result.sides):
                click.echo(line, err=True)
        for note in result.merged.notes:
            place = f"{note.path}: " if note.path else ""
            click.echo(f"note: {result.name}: {place}{note.text}", err=True)
        if result.target is not None:
            count = len(result.merged.conflicts)
            said = f"{count} conflict{'s' if count > 1 else ''}" if count else "clean"
            click.echo(f"{result.target}: {said}", err=True)


def only_folder(path: Path) -> Path:
    """Return a folder to write into; raises `InvalidInput` where there is none."""
    if not path.is_dir():
        raise InvalidInput(f"{path}: no folder", "make it first: mkdir")
    return path
