"""The little Markdown the reference is made of."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

MADE = "<!-- Made by scripts/generate from the code: do not edit. -->"


def page(title: str, intro: str, parts: Iterable[str]) -> str:
    """Return a whole page."""
    return "\n\n".join([MADE, f"# {title}", intro, *(p for p in parts if p)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; empty where there are no rows."""
    lines = [_row(row) for row in rows]
    return "\n".join([_row(heads), _row(["---"] * len(heads)), *lines]) if lines else ""


def anchor(heading: str) -> str:
    """Return where a heading can be linked to."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return "#" + kept.replace(" ", "-")


def value(given: Any) -> str:
    """Return a default as it would be written in YAML; empty where there is none."""
    if given in (None, "", (), [], {}):
        return ""
    plain = list(given) if isinstance(given, tuple) else given
    text = yaml.safe_dump(plain, default_flow_style=True, width=200)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


def paragraphs(docstring: str | None) -> str:
    """Return a docstring with its lines joined, paragraph by paragraph."""
    blocks = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
