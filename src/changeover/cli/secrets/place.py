"""Which file a command about secrets means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from changeover.cli.options import instance_option, named_passwords
from changeover.errors import InvalidInstance
from changeover.instances.sealed import (
    Kind,
    Opened,
    kind_beside,
    open_sealed,
    passwords,
    write_sealed,
)
from changeover.instances.sealedvalues import is_sealed_by_value, values_in, with_sealed
from changeover.instances.secrettext import with_value

AGE_FILE, VAULT_FILE = "secrets.age", "secrets"
"""What the file of an instance's secrets is called, by what seals it."""

Command = Callable[..., Any]


@dataclass(frozen=True)
class SecretsFile:
    """A file of secrets, and the password files that were named for it."""

    path: Path
    named: tuple[str, ...] = ()

    def opened(self) -> Opened:
        """Return what is in it; nothing, sealed as the folder's others, where it is not there."""
        if self.path.exists():
            return open_sealed(self.path, self.named)
        folder = self.path.parent
        if not folder.is_dir():
            raise InvalidInstance(f"{folder}: no such folder", "name the instance with -i")
        return new_sealed(b"", self.path, self.named)

    def values(self) -> dict[str, str]:
        """Return every secret in it by name."""
        return values_in(self.path, self.named)[1]

    def keep(self, name: str, value: str) -> None:
        """Set one secret; everything else in the file stays as it is."""
        opened = self.opened()
        before = opened.text(str(self.path))
        if is_sealed_by_value(opened):
            text = with_sealed(before, name, value, self.path, self.named)
        else:
            text = with_value(before, name, value, str(self.path))
        write_sealed(self.path, replace(opened, content=text.encode()))


def new_sealed(content: bytes, path: Path, named: Sequence[str], kind: str = "") -> Opened:
    """Return a content to be sealed as `kind` says, else as the folder's other files are."""
    chosen = Kind(kind) if kind else kind_beside(path.parent, named)
    if chosen is not Kind.VAULT:
        return Opened(content, chosen)
    keys = passwords(path.parent, named)
    if not keys:
        raise InvalidInstance(
            f"{path}: no vault password is at hand",
            "write it to a file `vault-password`, or name one: --vault-password-file",
        )
    return Opened(content, chosen, keys[0].label, keys[0])


def file_options(command: Command) -> Command:
    """Add `-i`, `--file` and `--vault-password-file`; gives `place: SecretsFile`."""

    @wraps(command)
    def placed(*given: Any, instance: Path, file: str | None, **more: Any) -> Any:
        return command(*given, place=secrets_file(instance, file, named_passwords()), **more)

    for option in (
        click.option("--file", metavar="FILE", help=_FILE_HELP),
        instance_option,
    ):
        placed = option(placed)
    return placed


_FILE_HELP = f"The file, in the instance's folder [{AGE_FILE}, or {VAULT_FILE} as Ansible has it]."


def folder_of(instance: Path) -> Path:
    """Return the folder of an instance that may be named by its inventory."""
    return instance.parent if instance.is_file() else instance


def secrets_file(folder: Path, file: str | None, named: tuple[str, ...]) -> SecretsFile:
    """Return the file a command means: the named one, else the folder's own."""
    folder = folder_of(folder)
    if file:
        # As typed where it is there, so that a shell's completion of paths works.
        typed = Path(file)
        there = typed.is_absolute() or (typed.exists() and not (folder / file).exists())
        return SecretsFile(typed if there else folder / file, named)
    for name in (AGE_FILE, VAULT_FILE):
        if (folder / name).is_file():
            return SecretsFile(folder / name, named)
    vault = folder.is_dir() and kind_beside(folder, named) is Kind.VAULT
    return SecretsFile(folder / (VAULT_FILE if vault else AGE_FILE), named)
