"""The values in a file of secrets: sealed as a whole, or one by one under `!vault`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.varfile import Sealed, parse_yaml
from changeover.instances.ansible.vault import decrypt
from changeover.instances.sealed import Opened, open_sealed, passwords
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
