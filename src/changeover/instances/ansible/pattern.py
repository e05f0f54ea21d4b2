"""Which hosts of an inventory a play's `hosts:` stands for."""

from __future__ import annotations

import fnmatch
import re

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import ALL, Inventory

_BETWEEN = re.compile(r"[,;]|:(?![^\[]*\])")


def matching(inventory: Inventory, pattern: str) -> list[str]:
    """Return the hosts of `web:&prod:!web3`, `*.example` and the like, in their groups' order."""
    words = [word.strip() for word in _BETWEEN.split(pattern) if word.strip()]
    named = [word for word in words if word[0] not in "!&"] or ["all"]
    both = [set(_hosts(inventory, word[1:])) for word in words if word[0] == "&"]
    without = {h for word in words if word[0] == "!" for h in _hosts(inventory, word[1:])}
    chosen = dict.fromkeys(h for word in named for h in _hosts(inventory, word))
    return [h for h in chosen if h not in without and all(h in hosts for hosts in both)]


def _hosts(inventory: Inventory, word: str) -> list[str]:
    if "[" in word or "{{" in word:
        raise InvalidInstance(f"hosts: {word}: is not understood here", "name groups and hosts")
    if word in ("all", "*"):
        return inventory.members(ALL)
    if word.startswith("~"):
        named = re.compile(word[1:])
        return [h for h in inventory.hosts if named.match(h)]
    groups = [g for g in inventory.groups if fnmatch.fnmatchcase(g, word)]
    members = [h for group in groups for h in inventory.members(group)]
    return [*members, *(h for h in inventory.hosts if fnmatch.fnmatchcase(h, word))]
