"""`secrets rekey`: the same secrets under another password, or for other keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from changeover.cli.options import instance_option, named_passwords
from changeover.errors import InvalidInput, NotReady
from changeover.instances.ansible.password import PasswordFile
from changeover.instances.ansible.vault import Password
from changeover.instances.sealed import (
    Kind,
    Opened,
    kind_of,
    open_sealed,
    password_files,
    write_sealed,
)

LARGEST = 64 * 1024 * 1024


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--new-vault-password-file",
    "fresh",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File with the new password of the vaults.",
)
@click.option("--replace", "takes_place", is_flag=True, help="Then it takes the old one's place.")
@instance_option
def rekey(
    instance: Path,
    files: tuple[Path, ...],
    fresh: Path | None,
    takes_place: bool,
) -> None:
    """Encrypt files anew: vaults for another password, age files for the keys listed now.

    Without files: every encrypted file below the instance's folder. All are opened before the
    first is written; killed in the middle, the same command goes on.
    """
    named = named_passwords()
    password = PasswordFile(fresh, named_by="--new-vault-password-file").read() if fresh else None
    both = (*_named(named, instance), *([str(fresh)] if fresh else []))
    found = {path: open_sealed(path, both) for path in files or _sealed_below(instance)}
    if not found:
        raise InvalidInput(f"{instance}: holds no encrypted file", "name files: secrets rekey FILE")
    _refuse_unready(found, fresh)
    for path, opened in found.items():
        write_sealed(path, _for_new(opened, password))
        click.echo(f"sealed {path} anew")
    if fresh:
        _hand_over(fresh, _old(named, instance), takes_place=takes_place)


def _named(named: Sequence[str], near: Path) -> list[str]:
    return list(named) or [f"{file.label}@{file.path}" for file in password_files(near)]


def _old(named: Sequence[str], near: Path) -> Path | None:
    found = password_files(near, named)
    return found[0].path if found else None


def _refuse_unready(found: dict[Path, Opened], fresh: Path | None) -> None:
    vaults = [path for path, opened in found.items() if opened.kind is Kind.VAULT]
    if vaults and not fresh:
        raise InvalidInput(
            f"{vaults[0]}: is a vault, and needs a new password",
            "changeover secrets generate password > new-password; then name it: "
            "--new-vault-password-file new-password",
        )
    plain = [path for path, opened in found.items() if opened.kind is Kind.PLAIN]
    if plain:
        raise InvalidInput(f"{plain[0]}: is not encrypted", "leave it out, or encrypt it")


def _for_new(opened: Opened, password: Password | None) -> Opened:
    if opened.kind is not Kind.VAULT or password is None:
        return opened
    return replace(opened, password=replace(password, label=opened.label or password.label))


def _hand_over(fresh: Path, old: Path | None, *, takes_place: bool) -> None:
    if takes_place and old:
        if os.access(old, os.X_OK):
            raise NotReady(f"{old}: is a program", "make it print the new password yourself")
        fresh.chmod(0o600)
        fresh.replace(old)
        click.echo(f"the new password is in {old} now: give it to your colleagues")
    else:
        click.echo(f"the password of these files is in {fresh} now: put it where {old or 'it'} is")


def _sealed_below(folder: Path) -> Iterator[Path]:
    """Yield the encrypted files below a folder; what git ignores is not looked at."""
    for path in _files(folder):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
            with path.open("rb") as file:
                if kind_of(file.read(128)) is not Kind.PLAIN:
                    yield path


def _files(folder: Path) -> list[Path]:
    words = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"]  # fmt: skip
    listed = subprocess.run(words, capture_output=True, check=False)
    if listed.returncode:
        return sorted(folder.rglob("*"))
    return sorted({folder / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name})
