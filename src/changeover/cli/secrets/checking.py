"""`secrets check`: what leaked, what could, and what will not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from changeover.cli.options import given_here, instance_option, named_passwords, output_option
from changeover.cli.output import emit
from changeover.cli.secrets.place import AGE_FILE, VAULT_FILE, SecretsFile, folder_of
from changeover.errors import ChangeoverError
from changeover.instances.agefile import KEY
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.password import CONVENTION
from changeover.instances.ansible.remarks import in_clear
from changeover.instances.folder import INSTANCE, open_instance
from changeover.instances.leaks import (
    Known,
    consumer_findings,
    history_findings,
    is_program,
    key_findings,
    url_findings,
)
from changeover.instances.place import is_environment
from changeover.instances.sealed import (
    Kind,
    kind_of,
    password_files,
    read_bytes,
    unsealed,
)
from changeover.instances.sealedvalues import values_in
from changeover.model.findings import Finding, blocking, failed, passed
from changeover.model.secret import Masker
from changeover.views.finding import finding_lines


@click.command()
@click.option("--no-history", is_flag=True, help="Do not look through git's history.")
@instance_option
@output_option
def check(instance: Path, output: str, no_history: bool) -> None:
    """Look for secrets that leaked, or that will not arrive as they are.

    Keys and password files: there, private, ignored by git. Every version git knows of the folder's
    files: nothing in clear. Passwords in URLs: encoded. Every value, written for .env, shell,
    supervisor, YAML and nginx and read back: unchanged. Exit code 0: all is well; 3: it is not.
    """
    masker = Masker()
    found = []
    for finding in _examined(instance, named_passwords(), masker, history=not no_history):
        hidden = replace(finding, message=masker.text(finding.message))
        found.append(hidden)
    emit(found, finding_lines(found, {}), output)
    if blocking(found):
        raise click.exceptions.Exit(3)


def _examined(
    folder: Path, named: tuple[str, ...], masker: Masker, *, history: bool
) -> Iterator[Finding]:
    instance, folder = folder, folder_of(folder)
    files = [SecretsFile(folder / n, named) for n in (AGE_FILE, VAULT_FILE)
             if (folder / n).is_file()]  # fmt: skip
    contents = [read_bytes(file.path) for file in files]
    kinds = {Kind.VAULT if b"!vault" in c else kind_of(c) for c in contents}
    yield from _keys(folder, kinds, named)
    values: dict[str, str] = {}
    for file in files:
        yield from _readable(file, values)
    yield from _elsewhere(instance, values)
    for value in values.values():
        masker.learn(value)
    yield from url_findings(values)
    yield from consumer_findings(values)
    if history:
        sealed = [file.path for file in files] or [folder / AGE_FILE, folder / VAULT_FILE]

        def older(content: bytes) -> bytes:
            return unsealed(content, sealed[0], named).content

        opened_by = [file.path for file in password_files(folder, named)
                     if file.path.exists() and not is_program(file.path)]  # fmt: skip
        yield from history_findings(folder, Known(values, [*sealed, *opened_by], older))


def _keys(folder: Path, kinds: set[Kind], named: tuple[str, ...]) -> Iterator[Finding]:
    # Vaults of an environment may all be among its variables.
    if Kind.VAULT in kinds or (is_environment(folder) and not (folder / INSTANCE).is_file()):
        found = password_files(folder, named)
        for file in found:
            yield from key_findings(file.path, "vault password")
        if not found and Kind.VAULT in kinds:
            yield from key_findings(folder / CONVENTION, "vault password")
    if (folder / KEY).exists():
        yield from key_findings(folder / KEY, "age key")


def _readable(file: SecretsFile, values: dict[str, str]) -> Iterator[Finding]:
    try:
        opened, told = values_in(file.path, file.named)
    except ChangeoverError as error:
        yield failed(error.message, error.remedy)
        return
    one_by_one = b"!vault" in opened.content
    if one_by_one:
        # What stands beside sealed values is meant to be read.
        told = {name: v for name, v in told.items() if v.encode() not in opened.content}
    values.update(told)
    if opened.kind is Kind.PLAIN and told and not one_by_one:
        remedy = f"changeover secrets encrypt {file.path}"
        yield failed(f"{file.path}: is not encrypted", remedy)
    else:
        count = "1 secret" if len(told) == 1 else f"{len(told)} secrets"
        yield passed(f"{file.path}: {count}, sealed by {'!vault' if one_by_one else opened.kind}")


def _elsewhere(folder: Path, values: dict[str, str]) -> Iterator[Finding]:
    """Take in what an instance keeps in variables, files and behind commands."""
    if is_environment(folder) and not (folder / INSTANCE).is_file():
        yield from _of_environment(folder, values)
    if not (folder / INSTANCE).is_file():
        return
    _, secrets = open_instance(folder, given=given_here())
    for name in secrets:
        try:
            values[name] = secrets[name]
        except ChangeoverError as error:
            yield failed(error.message, error.remedy)


def _of_environment(folder: Path, values: dict[str, str]) -> Iterator[Finding]:
    """Take in every variable that is sealed, wherever it stands, as its templates come out."""
    environment = Environment(folder.absolute(), given_here(incomplete=True))
    try:
        plain, scope = set(environment.sections.plain), environment.first
        names = [name for name in scope if scope.is_secret(name) and name not in plain]
        yield from in_clear(environment)
    except ChangeoverError:
        # What is wrong with the folder is for `instance check` to say; the file was judged.
        return
    for name in names:
        values.pop(name, None)
        # What only a host can tell, or nothing defines, is not a text yet.
        with suppress(ChangeoverError):
            value = scope[name]
            values |= {name: value} if isinstance(value, str) else {}
