"""The text inside a file of secrets: `name: value` lines, read tolerantly and edited in place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.sources.yamltext import quoted
from changeover.sources.yamltree import Tree, parse_tree

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def secret_values(text: str, shown: str) -> dict[str, str]:
    """Return every value by name, as it is written; what is nested becomes JSON."""
    tree = _mapping(text, shown)
    return {name: _said(tree, name, value) for name, value in (tree.value or {}).items()}


def with_value(text: str, name: str, value: str, shown: str) -> str:
    """Return the text with one value set; comments, order and all other lines stay as they are."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"`{name}` cannot be a secret's name", "use letters, digits and `_`")
    before = secret_values(text, shown)
    line = f"{name}: {quoted(value)}\n"
    edited = _replaced(text, name, line, shown) if name in before else _appended(text, line, before)
    if secret_values(edited, shown) != {**before, name: value}:
        raise InvalidInstance(
            f"{shown}: {name} cannot be set by itself in what is written there",
            "set it by hand: changeover secrets edit",
        )
    return edited


def _mapping(text: str, shown: str) -> Tree:
    try:
        tree = parse_tree(text, shown)
    except InvalidInput as error:
        raise InvalidInstance(error.message, "mend it: changeover secrets edit") from None
    if tree.value is not None and not isinstance(tree.value, dict):
        raise InvalidInstance(f"{shown}: must be `name: value` lines", "changeover secrets edit")
    return tree


def _said(tree: Tree, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return tree.raw((name,))


def _appended(text: str, line: str, before: Mapping[str, str]) -> str:
    if not before:
        # `{}` stands for nothing in files of Ansible; what follows it on the line is a comment.
        text = re.sub(r"^\{\s*\}[ \t]*(#.*)?\n?", _kept_comment, text, count=1, flags=re.MULTILINE)
    if text and not text.endswith("\n"):
        text += "\n"
    return text + line


def _kept_comment(found: re.Match[str]) -> str:
    return f"{found[1]}\n" if found[1] else ""


def _replaced(text: str, name: str, line: str, shown: str) -> str:
    tree = parse_tree(text, shown)
    starts = sorted(tree.where((key,), key=True).line for key in tree.value)
    lines = text.splitlines(keepends=True)
    start = tree.where((name,), key=True).line
    end = next((s for s in starts if s > start), len(lines) + 1) - 1
    # Comments and blank lines before the next name belong to that name.
    while end > start and re.match(r"\s*(#|$)", lines[end - 1]):
        end -= 1
    return "".join([*lines[: start - 1], line, *lines[end:]])
