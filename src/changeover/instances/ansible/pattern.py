"""Which hosts of an inventory a play's `hosts:` stands for."""

from __future__ import annotations

import fnmatch
import re

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import Inventory

_BETWEEN = re.compile(r"[,;]|:(?![^\[]*\])")


def matching(inventory: Inventory, pattern: str) -> list[str]:
    """Return the hosts of `web:&prod:!web3`, `*.example` and the like, in the inventory's order."""
    words = [word.strip() for word in _BETWEEN.split(pattern) if word.strip()]
    chosen = {h for w in words if w[0] not in "!&" for h in _hosts(inventory, w)}
    if not any(word[0] not in "!&" for word in words):
        chosen = set(inventory.hosts)
    for word in words:
        if word[0] == "&":
            chosen &= set(_hosts(inventory, word[1:]))
    for word in words:
        if word[0] == "!":
            chosen -= set(_hosts(inventory, word[1:]))
    return [host for host in inventory.hosts if host in chosen]


def _hosts(inventory: Inventory, word: str) -> list[str]:
    if "[" in word or "{{" in word:
        raise InvalidInstance(f"hosts: {word}: is not understood here", "name groups and hosts")
    if word in ("all", "*"):
        return list(inventory.hosts)
    if word.startswith("~"):
        named = re.compile(word[1:])
        return [h for h in inventory.hosts if named.match(h)]
    groups = [g for g in inventory.groups if fnmatch.fnmatchcase(g, word)]
    members = {h for group in groups for h in inventory.members(group)}
    return [h for h in inventory.hosts if h in members or fnmatch.fnmatchcase(h, word)]
