"""`secrets`: keep the secrets of an instance in an age file."""

from __future__ import annotations

import os
import secrets as randomness
import shutil
import string
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from changeover.cli.options import instance_option, output_option
from changeover.cli.output import emit
from changeover.errors import InvalidInput, InvalidInstance, NotReady
from changeover.instances.agefile import (
    decrypted,
    make_key,
    parse_secrets,
    read_secrets,
    secrets_text,
    write_encrypted,
)

MEMORY = ("/dev/shm", "/run/shm")  # noqa: S108 - memory, not a disk: that is the point
MEMORY_KINDS = frozenset(("tmpfs", "ramfs"))

file_option = click.option(
    "--file", "name", default="secrets.age", show_default=True, help="The age file, in the folder."
)


@click.group()
def secrets() -> None:
    """Keep the secrets of an instance encrypted."""


@secrets.command()
@instance_option
def key(instance: Path) -> None:
    """Make a key (age.key) in the instance's folder, and keep it out of git."""
    path, public = make_key(instance)
    _ignore(instance, path.name)
    click.echo(f"wrote {path} (readable by you alone; git ignores it; keep a copy elsewhere)")
    click.echo(f"public key: {public}")


@secrets.command()
@file_option
@instance_option
def edit(name: str, instance: Path) -> None:
    """Edit the secrets; the plain text is in memory only, and readable by you alone."""
    path = instance / name
    if not path.parent.is_dir():
        raise InvalidInstance(f"{path.parent}: no such folder", "name the instance with -i")
    before = decrypted(path) if path.exists() else "# name: value\n"
    with _memory() as folder:
        plain = folder / "secrets.yaml"
        plain.touch(mode=0o600)
        plain.write_text(before, encoding="utf-8")
        while True:
            _editor(plain, folder)
            after = plain.read_text(encoding="utf-8")
            try:
                parse_secrets(after, str(path))
                break
            except InvalidInstance as error:
                click.echo(f"{error.message}", err=True)
                if not click.confirm("Edit again?", default=True, err=True):
                    raise
    if after == before and path.exists():
        click.echo("nothing changed")
        return
    write_encrypted(path, after)
    click.echo(f"wrote {path}")


@secrets.command()
@click.argument("names", nargs=-1)
@file_option
@instance_option
@output_option
def view(names: tuple[str, ...], name: str, instance: Path, output: str) -> None:
    """Show secrets in clear: those named, or all."""
    values = read_secrets(instance / name)
    missing = [wanted for wanted in names if wanted not in values]
    if missing:
        raise InvalidInput(f"{name} has no {missing[0]}", f"it has: {', '.join(values)}")
    chosen = {n: values[n] for n in names or values}
    emit(chosen, (f"{n}: {v}" for n, v in chosen.items()), output)


@secrets.command("set")
@click.argument("secret")
@file_option
@instance_option
def set_(secret: str, name: str, instance: Path) -> None:
    """Set one secret; its value is read from the terminal or from standard input."""
    if sys.stdin.isatty():
        value = click.prompt(secret, hide_input=True, confirmation_prompt=True, err=True)
    else:
        value = sys.stdin.read().removesuffix("\n")
    _keep(instance / name, secret, str(value))


@secrets.command()
@click.argument("kind", type=click.Choice(["secretkey", "apikey", "uuid", "password"]))
@click.option("--into", metavar="NAME", help="Keep it under this name instead of printing it.")
@file_option
@instance_option
def generate(kind: str, into: str | None, name: str, instance: Path) -> None:
    """Generate a value: secretkey (50 characters), apikey (64 hex), uuid, password."""
    value = _generated(kind)
    if into:
        _keep(instance / name, into, value)
    else:
        click.echo(value)


def _generated(kind: str) -> str:
    if kind == "uuid":
        return str(uuid.uuid4())
    if kind == "apikey":
        return randomness.token_hex(32)
    # Letters and digits only: `#`, `$` or `%` break one consumer or another.
    alphabet = string.ascii_letters + string.digits
    length = 50 if kind == "secretkey" else 24
    return "".join(randomness.choice(alphabet) for _ in range(length))


def _keep(path: Path, name: str, value: str) -> None:
    if not name.isidentifier():
        raise InvalidInput(f"`{name}` cannot be a secret's name", "use letters, digits and `_`")
    values = read_secrets(path) if path.exists() else {}
    write_encrypted(path, secrets_text({**values, name: value}))
    click.echo(f"wrote {name} to {path}; name it in instance.yaml: {name}: {{age: {path.name}}}")


def _ignore(folder: Path, name: str) -> None:
    path = folder / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    if name not in lines:
        path.write_text("\n".join([*lines, name, ""]), encoding="utf-8")


@contextmanager
def _memory() -> Iterator[Path]:
    """Give a folder of mode 0700 that is in memory, and remove it with all that is in it."""
    places = [p for p in (os.environ.get("XDG_RUNTIME_DIR", ""), *MEMORY) if p and _in_memory(p)]
    if not places:
        raise NotReady(
            "no folder in memory to edit in: /dev/shm is missing",
            "use `changeover secrets set NAME`, which writes no plain text",
        )
    folder = Path(tempfile.mkdtemp(prefix="changeover-", dir=places[0]))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_memory(place: str) -> bool:
    if not os.access(place, os.W_OK):
        return False
    real = str(Path(place).resolve())
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    holding = [w for w in map(str.split, mounts) if real == w[1] or real.startswith(f"{w[1]}/")
               or w[1] == "/"]  # fmt: skip
    return bool(holding) and max(holding, key=lambda w: len(w[1]))[2] in MEMORY_KINDS


def _editor(plain: Path, folder: Path) -> None:
    words = (os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi").split()
    # Swap, backup and undo files go where the plain text is, and with it.
    environment = {**os.environ, "TMPDIR": str(folder)}
    if Path(words[0]).name in ("vi", "vim", "nvim"):
        words += ["-n", "-c", "set nobackup noundofile viminfo="]
    try:
        done = subprocess.run([*words, str(plain)], env=environment, check=False)
    except OSError as error:
        raise NotReady(f"{words[0]}: {error.strerror}", "set EDITOR to an editor") from None
    if done.returncode:
        raise NotReady(f"{words[0]} exited {done.returncode}: nothing was kept", "try again")
