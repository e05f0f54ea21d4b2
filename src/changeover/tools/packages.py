"""The seam to a host's package manager: what to ask it, and what it answers.

`changeover.tools.apt` speaks to apt and dpkg. Another family of distributions (dnf and rpm) is
another class with these methods, and one line in the action's choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from changeover.hosts.command import Command


@dataclass(frozen=True)
class Move:
    """What becomes of one package: from a version to a version; empty is not installed."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Choice:
    """How to install."""

    recommends: bool = True
    downgrades: bool = False
    removals: bool = False
    """Whether other packages may be removed for it."""
    restarts: bool = False
    """Whether services that run may be restarted by the packages' own scripts."""


class PackageTool(Protocol):
    """A package manager. Packages are written `name` or `name=version`."""

    program: str
    """The program by which it is recognized."""

    def versions(self, names: Iterable[str]) -> Command:
        """Ask which versions are installed. Exits non-zero where some are not."""

    def parse_versions(self, output: str) -> Mapping[str, str]:
        """Return name -> version of those that are installed."""

    def provided(self) -> Command:
        """Ask which names the installed packages stand for beside their own."""

    def parse_provided(self, output: str) -> set[str]:
        """Return these names."""

    def refresh(self) -> Command:
        """Fetch the lists of what there is."""

    def rehearse(self, packages: Iterable[str], choice: Choice) -> Command:
        """Ask what installing would do. Exits non-zero where it cannot be done."""

    def rehearse_removal(self, names: Iterable[str]) -> Command:
        """Ask what removing would do."""

    def parse_moves(self, output: str) -> list[Move]:
        """Return what a rehearsal says would become of which package."""

    def install(self, packages: Iterable[str], choice: Choice) -> Command:
        """Install; nobody is asked anything, configuration files people edited stay."""

    def remove(self, names: Iterable[str], *, purge: bool) -> Command:
        """Remove; with `purge` also configuration files."""

    def save(self, packages: Iterable[str], folder: str) -> Command:
        """Fetch packages of these versions into a folder, as far as they can still be had."""

    def saved(self, folder: str) -> Command:
        """List the packages in such a folder."""

    def parse_saved(self, output: str) -> Mapping[str, str]:
        """Return `name=version` -> file."""

    def offered(self, names: Iterable[str]) -> Command:
        """Ask which versions can be had."""

    def parse_offered(self, output: str) -> set[str]:
        """Return all `name=version` that can be had."""
