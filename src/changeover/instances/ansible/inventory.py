"""An inventory: hosts, groups within groups, and the variables written there."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance

ALL, UNGROUPED = "all", "ungrouped"
MOST_HOSTS = 10_000
"""Hosts one pattern may stand for."""

_RANGE = re.compile(r"\[([0-9]*|[a-zA-Z]):([0-9]+|[a-zA-Z])(?::([0-9]+))?\]")
_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")


@dataclass
class Group:
    """A group of hosts while an inventory is read."""

    name: str
    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    vars: dict[str, Any] = field(default_factory=dict)


@dataclass
class Inventory:
    """Hosts and groups in the order they were written."""

    groups: dict[str, Group] = field(default_factory=lambda: {ALL: Group(ALL)})
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> the variables written beside it."""
    origins: dict[str, Path] = field(default_factory=dict)
    """Host -> the file that named it first."""
    sources: list[Path] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    """Why files of a folder were not read."""
    read_lately: list[str] = field(default_factory=list)
    """Files of a folder that older Ansibles pass over."""

    def group(self, name: str) -> Group:
        """Return a group, made where it is new."""
        return self.groups.setdefault(name, Group(name))

    def host(self, name: str, group: str, origin: Path) -> dict[str, Any]:
        """Put a host into a group and return its variables."""
        members = self.group(group).hosts
        if name not in members:
            members.append(name)
        self.origins.setdefault(name, origin)
        return self.hosts.setdefault(name, {})

    def below(self, group: str, child: str) -> None:
        """Put a group into another one."""
        self.group(child)
        children = self.group(group).children
        if child not in children:
            children.append(child)

    def absorb(self, other: Inventory) -> None:
        """Take in what a later file says: it counts more."""
        for group in other.groups.values():
            known = self.group(group.name)
            known.vars |= group.vars
            known.children += [name for name in group.children if name not in known.children]
            known.hosts += [name for name in group.hosts if name not in known.hosts]
        for name, values in other.hosts.items():
            self.hosts[name] = {**self.hosts.get(name, {}), **values}
            self.origins.setdefault(name, other.origins[name])
        self.passed_over += other.passed_over
        self.read_lately += other.read_lately

    def groups_of(self, host: str) -> list[str]:
        """Return the groups of a host without `all`: the outermost first, as variables count."""
        direct = [g.name for g in self.groups.values() if host in g.hosts and g.name != ALL]
        found = {name for group in direct for name in self._ancestors(group)} - {ALL}
        if not found - {UNGROUPED}:
            return [UNGROUPED]
        return sorted(found - {UNGROUPED}, key=lambda n: (self._depth(n), self._priority(n), n))

    def members(self, group: str) -> list[str]:
        """Return the hosts of a group, then those of the groups in it: the outer ones first."""
        if group == UNGROUPED:
            named = self.groups[UNGROUPED].hosts if UNGROUPED in self.groups else []
            return [h for h in dict.fromkeys([*named, *self.hosts])
                    if self.groups_of(h) == [UNGROUPED]]  # fmt: skip
        found = dict.fromkeys(h for name in self._levels(group) for h in self._direct(name))
        return list(found)

    def refuse_circles(self) -> None:
        """Raise `InvalidInstance` where a group is inside itself."""
        for name in self.groups:
            below = {n for child in self.groups[name].children for n in self._descendants(child)}
            if name in below:
                raise InvalidInstance(f"group {name}: is a child of itself", "cut the circle")

    def _direct(self, group: str) -> list[str]:
        return self.members(UNGROUPED) if group == UNGROUPED else self.groups[group].hosts

    def _levels(self, group: str) -> Iterator[str]:
        """Yield a group and those below it, level by level."""
        seen, level = {group}, [group]
        while level:
            yield from level
            below = [c for name in level for c in self._children(name) if c not in seen]
            level = list(dict.fromkeys(below))
            seen |= {*level}

    def _children(self, group: str) -> list[str]:
        if group == UNGROUPED or group not in self.groups:
            return []
        if group != ALL:
            return self.groups[group].children
        # A group that only `[all:children]` names is below nothing but `all`.
        outer = [g for g in self.groups if g not in (ALL, UNGROUPED)
                 and not {*self._parents(g)} - {ALL}]  # fmt: skip
        return [UNGROUPED, *outer]

    def _parents(self, group: str) -> list[str]:
        return [g.name for g in self.groups.values() if group in g.children]

    def _ancestors(self, group: str) -> Iterator[str]:
        yield group
        for parent in self._parents(group):
            yield from self._ancestors(parent)

    def _descendants(self, group: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
        if group not in self.groups or group in seen:
            return
        yield group
        for child in self.groups[group].children:
            yield from self._descendants(child, seen | {group})

    def _depth(self, group: str) -> int:
        return 1 + max((self._depth(p) for p in self._parents(group) if p != ALL), default=0)

    def _priority(self, group: str) -> int:
        try:
            return int(self.groups[group].vars.get("ansible_group_priority", 1))
        except (TypeError, ValueError):
            return 1


def expanded(pattern: str, where: str) -> tuple[list[str], int | None]:
    """Return the hosts a word such as `web[01:10].example:2222` stands for, and the port."""
    port = None
    found = _PORT.fullmatch(pattern) or _PORT.fullmatch(_RANGE.sub("x", pattern))
    if found:
        port = int(found["port"])
        pattern = pattern.rpartition(":")[0]
    if pattern.startswith("[") and pattern.endswith("]") and not _RANGE.fullmatch(pattern):
        pattern = pattern[1:-1]
    return list(_ranged(pattern, where)), port


def _ranged(pattern: str, where: str) -> Iterator[str]:
    found = _RANGE.search(pattern)
    if not found:
        if "[" in pattern or "]" in pattern:
            raise InvalidInstance(
                f"{where}: `{pattern}` is neither a host nor a range", "write web[01:10]"
            )
        yield pattern
        return
    for word in _steps(found, where):
        for rest in _ranged(pattern[found.end() :], where):
            yield pattern[: found.start()] + word + rest


def _steps(found: re.Match[str], where: str) -> list[str]:
    first, last, step = found[1] or "0", found[2], int(found[3] or 1)
    words: list[str] = []
    if first.isdigit() and last.isdigit() and step:
        # A leading zero means: all of them as wide as the first.
        width = len(first) if first.startswith("0") and len(first) == len(last) else 0
        if width or len(first) == 1 or not first.startswith("0"):
            numbers = range(int(first), int(last) + 1, step)
            words = [str(number).zfill(width) for number in numbers[: MOST_HOSTS + 1]]
    elif first.isalpha() and last.isalpha() and step:
        letters = string.ascii_letters
        words = list(letters[letters.index(first) : letters.index(last) + 1 : step])
    if not words or len(words) > MOST_HOSTS:
        raise InvalidInstance(
            f"{where}: `{found[0]}` is no range of hosts", "write [1:9], [01:10] or [a:f]"
        )
    return words
