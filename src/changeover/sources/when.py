"""The words of a `when`, as people write them; `changeover.engine.condition` decides them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from changeover.sources.checked import Written, refused
from changeover.sources.words import Range, Words

HOST_WORDS = frozenset(("file", "package", "command"))
"""Words that are asked of a host; the others are known without one."""


class FileFact(Written):
    """Whether a file is there, or what it says."""

    path: str
    """The file."""
    exists: bool | None = None
    """Whether it must be there."""
    contains: str | None = None
    """A text that must be in it."""


class PackageFact(Written):
    """Whether a package is installed, and in which version."""

    name: str
    """The package."""
    installed: bool | None = None
    """Whether it must be installed."""
    version: Range | None = None
    """Which versions of it will do."""


class CommandFact(Written):
    """How a command that changes nothing ends, or what it prints."""

    words: list[str] = Field(min_length=1)
    """The program and its arguments."""
    code: int = 0
    """The exit code it must have."""
    contains: str | None = None
    """A text it must print."""


def _modules(value: Any) -> Any:
    if isinstance(value, str):
        return {value: ""}
    if isinstance(value, list):
        if not all(isinstance(v, str) for v in value):
            raise refused("must be names", "write [one, two] or {one: '>=2'}")
        return dict.fromkeys(value, "")
    return value


Modules = Annotated[
    dict[str, Range],
    BeforeValidator(_modules),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
"""Modules that must all be there: a name, names, or names with the versions wanted."""


class When(Written):
    """A condition: every word in it must hold. Where a list is written, one of them is enough."""

    method: Words | None = None
    """The install method of the instance."""
    edition: Words | None = None
    """The edition of the instance."""
    module: Words | None = None
    """A module the instance has: one of them."""
    modules: Modules | None = None
    """Modules the instance has: all of them, at these versions."""
    feature: Words | None = None
    """A feature of the instance: one of them."""
    features: Words | None = None
    """Features of the instance: all of them."""
    role: Words | None = None
    """A role of the host."""
    host: Words | None = None
    """A host's name."""
    installed: Range | None = None
    """The version that is there before this release."""
    input: dict[str, Any] | None = None
    """Inputs and the value each must have."""
    var: dict[str, Any] | None = None
    """Variables and the value each must have."""
    file: FileFact | None = None
    """What a file on the host is like."""
    package: PackageFact | None = None
    """What a package on the host is like."""
    command: CommandFact | None = None
    """What a command on the host answers."""
    any: list[When] | None = None
    """Conditions of which one must hold."""
    all: list[When] | None = None
    """Conditions that must all hold."""
    not_: When | None = Field(None, alias="not")
    """A condition that must not hold."""
    expr: str | None = None
    """A template that must be true: `{{ vars.tls and inputs.workers > 2 }}`."""


def asks_host(condition: Any) -> bool:
    """Whether a condition can only be known by looking at a host."""
    return _mentions(condition, HOST_WORDS)


def mentions_installed(condition: Any) -> bool:
    """Whether a condition depends on the version that is there before."""
    words = frozenset(("installed", "expr"))
    return _mentions(condition, words)


def _mentions(condition: Any, words: frozenset[str]) -> bool:
    if not isinstance(condition, dict):
        return False
    nested = [*condition.get("any", ()), *condition.get("all", ()), condition.get("not")]
    return not words.isdisjoint(condition) or any(_mentions(c, words) for c in nested)
