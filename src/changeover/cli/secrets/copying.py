"""`secrets copy`: secrets of an environment, for a developer's own `.env`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import click

from changeover.cli.options import given_here, named_passwords, vault_option
from changeover.cli.secrets.place import secrets_file
from changeover.errors import InvalidInput, NotReady
from changeover.instances.consumers import CONSUMERS
from changeover.instances.folder import INSTANCE, open_instance
from changeover.instances.sealed import read_bytes, replace_file
from changeover.model.problem import suggestion

EXAMPLES = (".env.example", ".env.template", ".env.sample", ".env.dist")
"""Files that know what a `.env` calls things."""

_KEY = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=", re.MULTILINE)
_DOTENV = next(consumer for consumer in CONSUMERS if consumer.name == "dotenv")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME[=KEY]...")
@click.option(
    "--from", "source", required=True, metavar="FOLDER", type=click.Path(path_type=Path),
    help="The environment they come from.",
)  # fmt: skip
@click.option(
    "--to", "target", default=".env", show_default=True, metavar="FILE",
    type=click.Path(path_type=Path), help="The file they go to.",
)  # fmt: skip
@vault_option
def copy(names: tuple[str, ...], source: Path, target: Path) -> None:
    """Copy secrets of an environment into a .env file, such as an OpenID client.

    NAME may be a pattern (`datapass_*`). Each goes to the key that ends in its name, in the file or
    in the `.env.example` beside it; NAME=KEY says another. All other lines stay as they are.
    """
    _refuse_public(target)
    values = _values(source)
    before = read_bytes(target).decode("utf-8") if target.exists() else ""
    keys = dict.fromkeys(_KEY.findall(before + "\n" + _example(target)))
    text = before
    for name, key in _wanted(names, values, list(keys), source):
        text = _with_line(text, key, _line(name, key, values[name], target))
        click.echo(f"{name} -> {key}", err=True)
    if text == before:
        click.echo("nothing changed")
        return
    replace_file(target, text.encode())
    click.echo(f"wrote {target}")


def _values(source: Path) -> Mapping[str, str]:
    if (source / INSTANCE).is_file():
        return open_instance(source, given=given_here())[1]
    return secrets_file(source, None, named_passwords()).values()


def _wanted(
    names: tuple[str, ...], values: Mapping[str, str], keys: list[str], source: Path
) -> Iterator[tuple[str, str]]:
    for word in names:
        name, _, key = word.partition("=")
        found = [known for known in values if fnmatchcase(known, name)]
        if not found:
            near = suggestion(name, values) or f"it has: {', '.join(values) or 'nothing'}"
            raise InvalidInput(f"{source}: has no secret {name}", near)
        if key and len(found) > 1:
            raise InvalidInput(f"{word}: {len(found)} secrets cannot share a key", "name each")
        yield from ((each, key or _key_for(each, keys)) for each in found)


def _key_for(name: str, keys: list[str]) -> str:
    """Return what the file calls a secret: the only key that is its name, or ends in it."""
    upper = name.upper()
    alike = [k for k in keys if k.upper() == upper or k.upper().endswith(f"_{upper}")]
    return alike[0] if len(alike) == 1 else upper


def _line(name: str, key: str, value: str, target: Path) -> str:
    if not _DOTENV.takes(value):
        raise NotReady(
            f"{target}: {name} would not come back from a .env file as it is",
            "`${` is replaced there: choose another value",
        )
    return _DOTENV.careful(value).replace("X=", f"{key}=", 1)


def _with_line(text: str, key: str, line: str) -> str:
    # A value in quotes may go over several lines.
    there = re.compile(
        rf"^(?:export\s+)?{key}\s*=[ \t]*(?:\"(?:[^\"\\]|\\[\s\S])*\"|'[^']*')?[^\n]*\n?",
        re.MULTILINE,
    )
    if there.search(text):
        return there.sub(lambda _: line, text, count=1)
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{line}"


def _example(target: Path) -> str:
    found = (target.with_name(name) for name in EXAMPLES)
    return next((f.read_text(encoding="utf-8") for f in found if f.is_file()), "")


def _refuse_public(target: Path) -> None:
    """Raise where git would take the file: a secret that was committed once is known."""
    folder = target.parent
    words = ["git", "-C", str(folder), "check-ignore", "-q", target.name]
    try:
        code = subprocess.run(words, capture_output=True, check=False).returncode
    except OSError:
        return
    if code == 1:
        raise NotReady(
            f"{target}: is not ignored by git", f"write {target.name} into {folder}/.gitignore"
        )
