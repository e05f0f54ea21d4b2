"""The top of a manifest: what a route needs to know of a release, read without its steps.

A hub may hold hundreds of releases of thousands of lines: the lines of all other keys are blanked
before the YAML is parsed, so that places stay right. What is left out is checked when the release
is loaded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from changeover.errors import InvalidRelease
from changeover.sources.checked import Written, checked, insist
from changeover.sources.manifest import RiskWritten, StopWritten, listed_stop
from changeover.sources.words import Id, Localized, Range, VersionText
from changeover.sources.yamltree import Tree, parse_tree, read_text

_TOP_KEY = re.compile(r"""(["']?)([A-Za-z_]+)\1[ ]*:(?:[ ]|$)""")
_BETWEEN = ("#", " ", "\t", "-", "}", "]", "...", "---")


class HeadingWritten(Written):
    """What a route needs to know of a release."""

    model_config = ConfigDict(extra="ignore")

    product: Id
    version: VersionText
    from_: Range = Field("", alias="from")
    stops: list[Annotated[StopWritten, BeforeValidator(listed_stop)]] = Field(default_factory=list)
    withdrawn: Localized = Field(default_factory=dict)
    title: Localized = Field(default_factory=dict)
    impact: str = "degraded"
    revision: int = 1
    deploys: str = ""
    risks: list[RiskWritten] = Field(default_factory=list)


_KEPT = frozenset(f.alias or n for n, f in HeadingWritten.model_fields.items())


def read_heading(manifest: Path) -> tuple[HeadingWritten, Tree]:
    """Read the heading of a manifest; raise `InvalidRelease` with all that is wrong in it."""
    name = str(manifest)
    text = read_text(manifest, name)
    tree = parse_tree(_heading_only(text), name)
    if tree.value is None:
        # Nothing that belongs there: what is wrong with the rest must not be hidden.
        tree = parse_tree(text, name)
    heading, problems = checked(HeadingWritten, tree)
    insist(problems, InvalidRelease)
    if heading is None:
        raise InvalidRelease(f"{name}: cannot be read")
    return heading, tree


def _heading_only(text: str) -> str:
    """Blank the lines of other top-level keys; return all of it where lines cannot be told."""
    kept: list[str] = []
    keeping = True
    for line in text.split("\n"):
        key = _TOP_KEY.match(line)
        if key:
            keeping = key[2] in _KEPT
        elif line.strip() and not line.startswith(_BETWEEN):
            return text
        kept.append(line if keeping else "")
    return "\n".join(kept)
