"""`secrets view` and `secrets set`: single values."""

from __future__ import annotations

import sys

import click

from changeover.cli.options import output_option
from changeover.cli.output import emit
from changeover.cli.secrets.place import SecretsFile, file_options
from changeover.errors import InvalidInput, NotReady
from changeover.instances.sealed import Kind
from changeover.instances.sealedvalues import is_sealed_by_value
from changeover.model.problem import suggestion


@click.command()
@click.argument("names", nargs=-1)
@file_options
@output_option
def view(names: tuple[str, ...], place: SecretsFile, output: str) -> None:
    """Show secrets in clear: those named, or all."""
    values = place.values()
    for wanted in names:
        if wanted not in values:
            near = suggestion(wanted, values) or f"it has: {', '.join(values) or 'nothing'}"
            raise InvalidInput(f"{place.path}: has no {wanted}", near)
    chosen = {n: values[n] for n in names or values}
    emit(chosen, (f"{n}: {v}" for n, v in chosen.items()), output)


@click.command("set")
@click.argument("secret")
@file_options
def set_(secret: str, place: SecretsFile) -> None:
    """Set one secret; its value is read from the terminal or from standard input."""
    keep(place, secret, asked_value(secret))


def asked_value(name: str) -> str:
    """Read a secret without showing it: twice from a terminal, or all of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, confirmation_prompt=True, err=True))
    value = sys.stdin.read().removesuffix("\n")
    if not value:
        raise InvalidInput(f"{name}: standard input is empty", "give it a value: set NAME < FILE")
    return value


def keep(place: SecretsFile, name: str, value: str) -> None:
    """Write one secret into its file, and say how an instance names it."""
    opened = place.opened()
    if opened.kind is Kind.PLAIN and not is_sealed_by_value(opened):
        raise NotReady(
            f"{place.path}: is not encrypted",
            f"encrypt it first: changeover secrets encrypt {place.path}",
        )
    place.keep(name, value)
    said = f"wrote {name} to {place.path}"
    if place.opened().kind is Kind.AGE:
        said += f"; name it in instance.yaml: {name}: {{age: {place.path.name}}}"
    click.echo(said)
