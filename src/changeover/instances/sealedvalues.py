"""The values in a file of secrets: sealed as a whole, or one by one under `!vault`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.varfile import Sealed, parse_yaml
from changeover.instances.ansible.vault import decrypt, encrypt
from changeover.instances.sealed import Kind, Opened, open_sealed, passwords
from changeover.instances.secrettext import secret_values


def values_in(path: Path, named: Sequence[str] = ()) -> tuple[Opened, dict[str, str]]:
    """Return how a file is sealed, and every value by name; raises `InvalidInstance`."""
    opened = open_sealed(path, named)
    text = opened.text(str(path))
    if "!vault" not in text:
        return opened, secret_values(text, str(path))
    tree, _, _ = parse_yaml(text, str(path))
    if not isinstance(tree, dict):
        raise InvalidInstance(f"{path}: must be `name: value` lines", "changeover secrets edit")
    keys = passwords(path.parent, named)

    def said(value: Any) -> str:
        if isinstance(value, Sealed):
            return decrypt(value.text, keys, value.where).decode("utf-8")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return opened, {str(name): said(value) for name, value in tree.items()}


def names_in(path: Path, named: Sequence[str] = ()) -> list[str]:
    """Return the names in a file of secrets; what is sealed one by one stays so."""
    tree, _, _ = parse_yaml(open_sealed(path, named).content, str(path))
    return [str(name) for name in tree] if isinstance(tree, dict) else []


def is_sealed_by_value(opened: Opened) -> bool:
    """Say whether a file is open, and single values in it are sealed."""
    return opened.kind is Kind.PLAIN and b"!vault" in opened.content


def with_sealed(text: str, name: str, value: str, path: Path, named: Sequence[str] = ()) -> str:
    """Return a file in which one value is sealed under `!vault`; all other lines stay."""
    (password, *_) = passwords(path.parent, named)
    envelope = encrypt(value.encode(), password, password.label).rstrip("\n")
    entry = [f"{name}: !vault |", *(f"  {line}" for line in envelope.split("\n"))]
    places, lines = parse_yaml(text, str(path))[1], text.splitlines()
    if name not in places:
        return "\n".join([*lines, *entry, ""])
    start = places[name].line - 1
    # What belongs to a name is indented; a comment at the margin is already about the next one.
    below = range(start + 1, len(lines))
    end = next((i for i in below if lines[i] and not lines[i][0].isspace()), len(lines))
    return "\n".join([*lines[:start], *entry, *lines[end:], ""])
