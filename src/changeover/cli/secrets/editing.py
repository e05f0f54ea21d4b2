"""`secrets edit`: change an encrypted file in an editor."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from changeover.cli.secrets.memory import edit_text, memory_folder
from changeover.cli.secrets.place import SecretsFile, file_options
from changeover.errors import InvalidInstance, NotReady
from changeover.instances.sealed import Kind, Opened, write_sealed
from changeover.instances.sealedvalues import is_sealed_by_value
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
    if is_sealed_by_value(opened):
        raise NotReady(
            f"{place.path}: its values are sealed one by one",
            "set one: changeover secrets set NAME; what is open there any editor edits",
        )
    if opened.kind is Kind.PLAIN:
        raise NotReady(
            f"{place.path}: is not encrypted",
            f"encrypt it first: changeover secrets encrypt {place.path}",
        )
    sealed = _bytes_of(place.path)
    before = opened.text(str(place.path)) or (EMPTY if fresh else "")
    with memory_folder() as folder:
        after = _edited(before, folder / f"{place.path.stem}.yaml", place.path)
    if after == before and not fresh:
        click.echo("nothing changed")
        return
    edited = replace(opened, content=after.encode())
    if _bytes_of(place.path) != sealed:
        _keep_beside(place.path, edited)
    write_sealed(place.path, edited)
    click.echo(f"wrote {place.path}")


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _keep_beside(path: Path, edited: Opened) -> NoReturn:
    """Keep an edit, sealed, beside a file that somebody else wrote meanwhile."""
    handle, name = tempfile.mkstemp(path.suffix, f"{path.stem}.edited-", path.parent)
    os.close(handle)
    write_sealed(kept := Path(name), edited)
    raise NotReady(
        f"{path}: was changed while you edited it: nothing was written there",
        f"your edit is kept, encrypted: changeover secrets view --file {kept}; then edit again",
    )


def _read_back(plain: Path, before: str, shown: Path) -> str:
    """Return what the editor left; raise `NotReady` where it left nothing of what there was."""
    try:
        after = plain.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotReady(f"{shown}: the editor left no file: nothing was kept", "try again") from None
    except UnicodeDecodeError:
        raise InvalidInstance(f"{shown}: is not UTF-8 any more", "save it as UTF-8") from None
    if before.strip() and not after.strip():
        raise NotReady(
            f"{shown}: came back empty from the editor: nothing was kept",
            "try again; to be rid of every secret, remove the file",
        )
    return after


def _edited(before: str, plain: Path, shown: Path) -> str:
    """Let the operator edit until it is right; raise where they give up."""
    plain.touch(mode=0o600)
    plain.write_text(before, encoding="utf-8")
    named = _is_mapping(before, shown)
    while True:
        edit_text(plain)
        after = _read_back(plain, before, shown)
        try:
            if named:
                secret_values(after, str(shown))
            return after
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
