"""`secrets encrypt` and `secrets decrypt`: whole files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from changeover.cli.options import named_passwords, vault_option
from changeover.cli.secrets.place import new_sealed
from changeover.errors import InvalidInput
from changeover.instances.inclear import reader_of
from changeover.instances.sealed import (
    Kind,
    Opened,
    kind_of,
    open_sealed,
    read_bytes,
    replace_file,
    write_sealed,
)

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)


@click.command()
@files_argument
@click.option(
    "--as",
    "kind",
    type=click.Choice(["vault", "age"]),
    help="How [as the folder's other files are].",
)
@click.option("--force", is_flag=True, help="Also what is read as it is: instance.yaml, keys.")
@vault_option
def encrypt(files: tuple[Path, ...], kind: str | None, force: bool) -> None:
    """Encrypt files in place, whatever they hold; nothing is written where one is refused."""
    contents = {path: _to_encrypt(path, force=force) for path in files}
    for path, content in contents.items():
        sealed = new_sealed(content, path, named_passwords(), kind or "")
        write_sealed(path, sealed)
        click.echo(f"encrypted {path} ({sealed.kind}); git may still know it in clear: "
                   "changeover secrets check", err=True)  # fmt: skip


def _to_encrypt(path: Path, *, force: bool) -> bytes:
    content = read_bytes(path)
    if kind_of(content) is not Kind.PLAIN:
        raise InvalidInput(f"{path}: is encrypted already", "changeover secrets edit --file")
    why = "" if force else reader_of(path, content, named_passwords())
    if why:
        raise InvalidInput(
            f"{path}: must stay readable: {why}",
            "put the secret alone into a file: changeover secrets set NAME; or insist: --force",
        )
    return content


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", metavar="FILE", help="Where to, mode 0600 [in place]; `-` is stdout.")
@vault_option
def decrypt(file: Path, to: str | None) -> None:
    """Decrypt a file, in place or to another."""
    opened = open_sealed(file, named_passwords())
    if opened.kind is Kind.PLAIN:
        raise InvalidInput(f"{file}: is not encrypted", "changeover secrets encrypt seals it")
    if to == "-":
        sys.stdout.buffer.write(opened.content)
        sys.stdout.buffer.flush()
        return
    target = Path(to) if to else file
    if to:
        replace_file(target, opened.content)
    else:
        write_sealed(target, Opened(opened.content, Kind.PLAIN))
    click.echo(f"decrypted {file}{f' to {target}' if to else ''}: keep it out of git", err=True)
