"""One file of a host and what has to be known to merge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from changeover.bases.base import Base
from changeover.hosts.host import Host
from changeover.merge import Answer, Merged, merge
from changeover.merge.settings import Setting, differences


@dataclass(frozen=True)
class Hints:
    """What a release says about a file, besides its reference."""

    format: str | None = None
    identity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """Path of a setting -> what its vendor says about it."""


@dataclass(frozen=True)
class FileJob:
    """Three texts of one file, and where each comes from."""

    host: Host
    path: str
    """The file that is to be written."""
    ours: bytes
    theirs: bytes
    base: Base | None
    labels: tuple[str, str, str]
    """Where base, ours and theirs come from, for people."""
    hints: Hints = field(default_factory=Hints)

    @property
    def name(self) -> str:
        """Return what answers about the file are remembered under."""
        return self.path

    @property
    def shown(self) -> str:
        """Return host and path, for people."""
        return f"{self.host.name}:{self.path}"

    def merged(self, answers: Mapping[str, Answer] | None = None) -> Merged:
        """Merge with the answers there are; raises `Unreadable`."""
        return merge(
            self.base.text if self.base else None, self.ours, self.theirs,
            format=self.hints.format, name=self.path, identity=self.hints.identity,
            renamed=self.hints.renamed, required=self.hints.required, answers=dict(answers or {}),
        )  # fmt: skip

    def settings(self) -> tuple[Setting, ...]:
        """Return the settings that are not the same in all three; raises `Unreadable`."""
        return differences(
            self.base.text if self.base else None, self.ours, self.theirs,
            format=self.hints.format, name=self.path, identity=self.hints.identity,
            renamed=self.hints.renamed, secrets=self.hints.secrets,
        )  # fmt: skip
