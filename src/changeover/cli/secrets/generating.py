"""`secrets generate`, `secrets url-quote` and `secrets key`: values to begin with."""

from __future__ import annotations

import secrets as randomness
import string
import sys
import uuid
from pathlib import Path
from urllib.parse import quote

import click

from changeover.cli.options import instance_option
from changeover.cli.secrets.place import SecretsFile, file_options
from changeover.cli.secrets.viewing import keep
from changeover.instances.agefile import make_key

SECRET_KEY = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"  # noqa: S105 - an alphabet
"""What secret keys of the data catalogue are made of; others take them as well."""

KINDS = {
    "secretkey": lambda: _of(SECRET_KEY, 50),
    "apikey": lambda: randomness.token_hex(32),
    "uuid": lambda: str(uuid.uuid4()),
    # Letters and digits only: `#`, `$` or `%` break one consumer or another.
    "password": lambda: _of(string.ascii_letters + string.digits, 24),
}


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--into", metavar="NAME", help="Keep it under this name instead of printing it.")
@file_options
def generate(kind: str, into: str | None, place: SecretsFile) -> None:
    """Generate a value: secretkey (50 characters), apikey (64 hex), uuid, password (24)."""
    value = KINDS[kind]()
    if into:
        keep(place, into, value)
    else:
        click.echo(value)


@click.command("url-quote")
@click.argument("value", required=False)
def url_quote(value: str | None) -> None:
    """Encode a password for use inside a URL; a space becomes `%20`.

    Without an argument it is read from the terminal or standard input: arguments can be seen by
    others on this machine, and stay in the shell's history.
    """
    if value is None:
        hidden = sys.stdin.isatty()
        value = click.prompt("Password", hide_input=True, err=True) if hidden else sys.stdin.read()
        value = str(value).removesuffix("\n")
    click.echo(quote(value, safe=""))


@click.command()
@instance_option
def key(instance: Path) -> None:
    """Make a key (age.key) in the instance's folder, and keep it out of git."""
    path, public = make_key(instance)
    _ignore(instance, path.name)
    click.echo(f"wrote {path} (readable by you alone; git ignores it; keep a copy elsewhere)")
    click.echo(f"public key: {public}")


def _of(alphabet: str, length: int) -> str:
    return "".join(randomness.choice(alphabet) for _ in range(length))


def _ignore(folder: Path, name: str) -> None:
    path = folder / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if name not in lines:
        path.write_text("\n".join([*lines, name, ""]), encoding="utf-8")
