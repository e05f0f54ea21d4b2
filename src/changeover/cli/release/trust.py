"""Keys on the command line: whom an instance trusts, and with what a vendor signs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from changeover.cli.options import chosen_instance
from changeover.errors import InvalidInput
from changeover.sources.signature import PublicKey, read_private, read_public

Command = Callable[..., Any]
KEYS = "keys"
"""The folder of an instance with the public keys (`*.pub`) it trusts."""

sign_option = click.option(
    "--sign",
    "sign_with",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.key",
    help="Sign with this private key; may be given several times.",
)
"""Gives `sign_with: tuple[Path, ...]`."""


def trust_options(command: Command) -> Command:
    """Add the options that say whom to trust: `key` and `unsigned`."""
    for option in (
        click.option(
            "--unsigned", is_flag=True, help="Take a release whoever signed it, or nobody."
        ),
        click.option(
            "--key",
            multiple=True,
            type=click.Path(exists=True, path_type=Path),
            metavar="FILE.pub|FOLDER",
            help="Trust this key [the instance's folder keys/].",
        ),
    ):
        command = option(command)
    return command


def trusted_keys(key: Sequence[Path], *, unsigned: bool) -> list[PublicKey] | None:
    """Return the keys that count here; none where the operator takes unsigned releases."""
    if unsigned:
        return None
    paths = list(key)
    own = chosen_instance(None) / KEYS
    if not paths and own.is_dir():
        paths = [own]
    keys = read_public(paths)
    if not keys:
        raise InvalidInput(
            "no key is trusted here",
            f"--key FILE.pub, or put it into {own}; --unsigned takes whatever comes",
        )
    return keys


def private_keys(files: Sequence[Path]) -> list[Ed25519PrivateKey]:
    """Read private keys, asking for passphrases on a terminal."""
    return [_private(file) for file in files]


def _private(file: Path) -> Ed25519PrivateKey:
    try:
        return read_private(file)
    except InvalidInput as refused:
        if "passphrase" not in refused.message or not sys.stdin.isatty():
            raise
    passphrase: str = click.prompt(f"Passphrase of {file}", hide_input=True, err=True)
    return read_private(file, passphrase)
