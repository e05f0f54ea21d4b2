"""A new instance folder, from what an operator said or what a server showed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.agefile import (
    KEY,
    make_key,
    read_secrets,
    secrets_text,
    write_encrypted,
)
from changeover.instances.folder import INSTANCE, load_instance
from changeover.model.instance import Instance
from changeover.sources.yamltext import quoted

IGNORED = (".changeover/", KEY)
AGE_FILE = "secrets.age"


@dataclass(frozen=True)
class Draft:
    """What a new `instance.yaml` will say."""

    name: str
    product: str
    hosts: Mapping[str, Mapping[str, Any]]
    hubs: Sequence[str] = ()
    language: str = "en"
    vars: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Sequence[Mapping[str, Any]] = ()
    databases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values to be encrypted; never written in clear."""
    description: str = ""
    deployed_from: str = ""
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    found: Sequence[str] = ()
    """Lines about what a server showed, kept as comments."""


def draft_text(draft: Draft) -> str:
    """Return the text of `instance.yaml`."""
    return "\n".join(_lines(draft)) + "\n"


def refuse_taken(folder: Path) -> None:
    """Raise `InvalidInstance` where an instance is there already."""
    path = folder / INSTANCE
    if path.exists():
        raise InvalidInstance(f"{path}: is there already", "edit it, or name another folder")


def refuse_unwritable(folder: Path) -> None:
    """Raise `InvalidInstance` where a folder could not be made or written to."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInstance(f"{there}: cannot be written to", "name another folder")


def write_draft(folder: Path, draft: Draft) -> Instance:
    """Write the folder and read it back; raise `InvalidInstance` where one is there already.

    Secrets that are in the folder already stay: they may be from a try that was killed.
    """
    refuse_taken(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _ignore(folder)
        if draft.secrets:
            _write_secrets(folder, draft.secrets)
        # Last: whatever is killed before has made no instance, and can be tried again.
        _replace(folder / INSTANCE, draft_text(draft))
    except OSError as error:
        raise InvalidInstance(f"{folder}: cannot be written: {error.strerror}") from error
    return load_instance(folder)


def _write_secrets(folder: Path, secrets: Mapping[str, str]) -> None:
    key, path = folder / KEY, folder / AGE_FILE
    if not key.is_file() or not key.stat().st_size:
        make_key(folder)
    before = read_secrets(path) if path.exists() else {}
    write_encrypted(path, secrets_text({**before, **secrets}))


def _lines(draft: Draft) -> Iterator[str]:
    yield "# An instance: one installation of a product. Keep this folder in git."
    yield from (f"# {line}" for line in draft.found)
    yield "format: 1"
    yield f"name: {_said(draft.name)}"
    yield f"product: {_said(draft.product)}"
    yield f"language: {_said(draft.language)}"
    yield from place_lines(draft)
    yield f"hubs: {_said(list(draft.hubs))}"
    yield "hosts:"
    for name, host in draft.hosts.items():
        yield f"  {name}: {_said(host)}"
    yield from _section("vars", draft.vars)
    yield from _section("secrets", {name: {"age": AGE_FILE} for name in draft.secrets})
    yield from _section("databases", draft.databases)
    if draft.endpoints:
        yield "endpoints:"
        yield from (f"  - {_said(endpoint)}" for endpoint in draft.endpoints)


def place_lines(draft: Draft) -> Iterator[str]:
    """Yield what people want to know of an environment, as its file says it."""
    if draft.description:
        yield f"description: {quoted(draft.description)}"
    if draft.deployed_from:
        yield f"deployed_from: {_said(draft.deployed_from)}"
    told = {kind: {k: v for k, v in r.items() if v} for kind, r in draft.resources.items()}
    yield from _section("resources", {kind: said for kind, said in told.items() if said})


def _section(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield f"{name}:"
        for key, value in values.items():
            yield f"  {key}: {_said(value)}"


def _said(value: Any) -> str:
    """Spell a value; JSON is YAML, whatever stands in it."""
    if isinstance(value, Mapping) and value:
        return "{" + ", ".join(f"{k}: {_said(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str) and value.replace("-", "").isalpha() and len(value) > 3:
        # A plain word reads better; short ones could be `true`, `null` or `no` to somebody.
        return value if value.lower() not in ("true", "false", "null") else quoted(value)
    return quoted(value)


def _ignore(folder: Path) -> None:
    path = folder / ".gitignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    missing = [name for name in IGNORED if name not in lines]
    if missing:
        _replace(path, "\n".join([*lines, *missing, ""]))


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
