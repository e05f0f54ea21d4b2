"""`secrets edit`: change an encrypted file in an editor."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from changeover.cli.secrets.memory import edit_text, memory_folder
from changeover.cli.secrets.place import SecretsFile, file_options
from changeover.errors import InvalidInstance, NotReady
from changeover.instances.sealed import Kind, write_sealed
from changeover.instances.secrettext import secret_values

EMPTY = "# name: value\n"


@click.command()
@click.argument("path", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@file_options
def edit(path: Path | None, place: SecretsFile) -> None:
    """Edit an encrypted file: the instance's, or FILE.

    Its plain text is in memory only, readable by you alone.
    What an editor keeps beside a file (swap, backup, undo) is kept from the disk as well. What is
    written back is sealed as it was.
    """
    place = replace(place, path=path) if path else place
    fresh = not place.path.exists()
    opened = place.opened()
    if opened.kind is Kind.PLAIN:
        raise NotReady(
            f"{place.path}: is not encrypted",
            f"encrypt it first: changeover secrets encrypt {place.path}",
        )
    before = opened.text(str(place.path)) or (EMPTY if fresh else "")
    with memory_folder() as folder:
        after = _edited(before, folder / f"{place.path.stem}.yaml", place.path)
    if after == before and not fresh:
        click.echo("nothing changed")
        return
    write_sealed(place.path, replace(opened, content=after.encode()))
    click.echo(f"wrote {place.path}")


def _edited(before: str, plain: Path, shown: Path) -> str:
    """Let the operator edit until it is right; raise where they give up."""
    plain.touch(mode=0o600)
    plain.write_text(before, encoding="utf-8")
    named = _is_mapping(before, shown)
    while True:
        edit_text(plain)
        try:
            after = plain.read_text(encoding="utf-8")
            if named:
                secret_values(after, str(shown))
            return after
        except UnicodeDecodeError:
            raise InvalidInstance(f"{shown}: is not UTF-8 any more", "save it as UTF-8") from None
        except InvalidInstance as error:
            click.echo(error.message, err=True)
            if not sys.stdin.isatty() or not click.confirm("Edit again?", default=True, err=True):
                raise


def _is_mapping(text: str, shown: Path) -> bool:
    """Say whether a file held names and values before: others may hold what they like."""
    try:
        secret_values(text, str(shown))
    except InvalidInstance:
        return False
    return True
