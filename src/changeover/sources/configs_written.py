"""What people write under `configs:`: configuration files that operators edit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from changeover.sources.checked import Written
from changeover.sources.words import Id, Localized, Words


def _for_all(value: Any) -> Any:
    return {"": value} if isinstance(value, str) else value


ByMethod = Annotated[
    dict[str, str],
    BeforeValidator(_for_all),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
"""A text, or one for each install method."""


class ConfigWritten(Written):
    """A configuration file that operators edit; steps with `use: files.merge` write it."""

    reference: ByMethod
    """The file as this release ships it, or one for each install method: a file of the bundle,
    rendered where its name ends in `.j2`."""
    at: ByMethod = Field(default_factory=dict)
    """Where it is on hosts, or that for each install method; a step may say another `path`."""
    was: Words = Field(default_factory=list)
    """What it was before it was moved, divided or joined: names of files of an older release, or
    paths. Several files that name the same one share its settings."""
    keep_old: bool = False
    """Whether those files stay; else each goes as soon as all that is made from it is there."""
    override: ByMethod = Field(default_factory=dict)
    """Where local differences go, as a Compose override or a systemd drop-in, or that for each
    install method: the file at `at` is then the vendor's, untouched."""
    base: str = ""
    """A file of the bundle: what edited files were made from before anybody kept a record."""
    format: str = ""
    """`toml`, `yaml`, `ini`, ...; left out, it is seen from name and content."""
    identity: dict[str, Words] = Field(default_factory=dict)
    """Lists whose elements have names, by path: `{queues: name}`."""
    renamed: dict[str, str] = Field(default_factory=dict)
    """Settings that have another name now: `{old.path: new.path}`; values go along."""
    required: list[str] = Field(default_factory=list)
    """Settings that must be there and have no default: they are asked for."""
    secrets: list[str] = Field(default_factory=list)
    """Settings never to be shown, besides those whose names say so."""
    notes: dict[str, Localized] = Field(default_factory=dict)
    """What operators should know of a setting when they are asked about it, by path."""
    validate_: list[str] = Field(default_factory=list, alias="validate")
    """A command that must accept the file: `{}` is a copy, `{tree}` a copy of `tree` with it."""
    tree: str = ""
    """A folder that `validate` needs around the file."""
    refresh: list[str] = Field(default_factory=list)
    """A command that makes a service read the file, run after each change of it."""
    mounted: bool = False
    """Whether the file alone is mounted into a container: it then keeps its inode."""


Configs = dict[Id, ConfigWritten]
