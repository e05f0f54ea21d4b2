"""A configuration file that operators edit, as a release knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.model.text import Text

ANY = ""
"""The variant of a text that holds for every install method."""


@dataclass(frozen=True)
class Config:
    """The reference of a file, where the file is, and what a merge has to know about it."""

    reference: Mapping[str, str]
    """Install method (or `ANY`) -> file of the bundle, rendered where its name ends in `.j2`."""
    at: Mapping[str, str] = field(default_factory=dict)
    """Install method (or `ANY`) -> where the file is on hosts."""
    was: tuple[str, ...] = ()
    """What it was before: names of files of an older release, or paths."""
    keep_old: bool = False
    override: Mapping[str, str] = field(default_factory=dict)
    """Install method (or `ANY`) -> where local differences go, beside the vendor's file."""
    base: str = ""
    """File of the bundle: what an edited file was made from, where nothing better is known."""
    format: str = ""
    """Empty: by the file's name and content."""
    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Path of a list -> the fields that name its elements."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    notes: Mapping[str, Text] = field(default_factory=dict)
    """Path of a setting -> what the vendor says about it."""
    validate: tuple[str, ...] = ()
    tree: str = ""
    refresh: tuple[str, ...] = ()
    mounted: bool = False

    def variant(self, of: Mapping[str, str], method: str) -> str:
        """Return the text for an install method; empty where there is none."""
        return of.get(method, of.get(ANY, ""))
