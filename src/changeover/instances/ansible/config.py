"""The ansible.cfg an environment lives under."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from changeover.errors import InvalidInstance

FILE = "ansible.cfg"
HIGHEST = 6
"""Folders above an environment that are looked into, unless a git repository ends before."""


@dataclass(frozen=True)
class Config:
    """What ansible.cfg says, and the folders that were looked into for it."""

    path: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """`key`, or `section.key` outside `[defaults]`."""
    parents: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """What relative paths in it are relative to."""
        return self.path.parent if self.path else Path.cwd()

    def text(self, key: str, default: str = "") -> str:
        """Return a setting as it is written."""
        return self.values.get(key, default)

    def paths(self, key: str) -> list[Path]:
        """Return a list of folders separated by colons."""
        words = filter(None, self.text(key).split(":"))
        return [self.folder / Path(word.strip()).expanduser() for word in words]


def find_config(folder: Path) -> Config:
    """Read the ansible.cfg that ANSIBLE_CONFIG names, or that of the folder or its parents."""
    parents = tuple(_above(folder))
    named = os.environ.get("ANSIBLE_CONFIG")
    places = [Path(named).expanduser()] if named else [p / FILE for p in (folder, *parents)]
    for path in places:
        found = path / FILE if path.is_dir() else path
        if found.is_file():
            return Config(found.absolute(), _read(found), parents)
    return Config(None, {}, parents)


def _above(folder: Path) -> Iterator[Path]:
    """Yield the parents of a folder up to the top of its git repository."""
    current = folder
    for _ in range(HIGHEST):
        if (current / ".git").exists() or current.parent == current:
            return
        current = current.parent
        yield current


def _read(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(
        inline_comment_prefixes=(";",), strict=False, allow_no_value=True
    )
    try:
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    # An indented line below a name without a value is more than configparser can bear.
    except (OSError, ValueError, AttributeError, configparser.Error) as error:
        line = getattr(error, "lineno", None)
        at = f"{path}:{line}" if line else str(path)
        raise InvalidInstance(f"{at}: is not an ansible.cfg", "write [defaults] first") from None
    return {
        key if section == "defaults" else f"{section}.{key}": (value or "").strip()
        for section in parser.sections()
        for key, value in parser.items(section)
    }
