"""Files that package managers leave beside a configuration file, and which side each one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

THEIRS = (".rpmnew", ".dpkg-dist", ".dpkg-new", ".ucf-dist", ".ucf-new", ".pacnew", ".apk-new")
"""Endings of new references: the file beside is what was edited here."""
OURS = (".rpmsave", ".rpmorig", ".dpkg-old", ".dpkg-bak", ".ucf-old", ".pacsave")
"""Endings of what was edited here: the file beside is the new reference."""


@dataclass(frozen=True)
class Pending:
    """A merge somebody still owes: which path is the local text, which the reference."""

    target: str
    ours: str
    theirs: str


def find_pending(paths: Iterable[str]) -> tuple[Pending, ...]:
    """Return the merges that wait among the paths of a host.

    `.rpmnew`, `.dpkg-dist` and their like are the new reference; `.rpmsave` and its like are what
    was edited here, while the file itself is the new reference.
    """
    known = set(paths)
    found = []
    for path in sorted(known):
        for suffix in THEIRS:
            target = path.removesuffix(suffix)
            if target != path and target in known:
                found.append(Pending(target, target, path))
        for suffix in OURS:
            target = path.removesuffix(suffix)
            if target != path and target in known:
                found.append(Pending(target, path, target))
    return tuple(found)
