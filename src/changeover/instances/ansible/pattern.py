"""Which hosts of an inventory a play's `hosts:` stands for."""

from __future__ import annotations

import fnmatch
import re

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import ALL, Inventory

_BETWEEN = re.compile(r"[,;]|:(?![^\[]*\])")
_SUBSCRIPT = re.compile(r"(?P<name>[^~].*)\[(?P<first>-?\d*)(?P<range>:(?P<last>-?\d*))?\]")


def matching(inventory: Inventory, pattern: str) -> list[str]:
    """Return the hosts of `web:&prod:!web3`, `*.example` and the like, in their groups' order."""
    words = [word.strip() for word in _BETWEEN.split(pattern) if word.strip()]
    named = [word for word in words if word[0] not in "!&"] or ["all"]
    both = [set(_hosts(inventory, word[1:])) for word in words if word[0] == "&"]
    without = {h for word in words if word[0] == "!" for h in _hosts(inventory, word[1:])}
    chosen = dict.fromkeys(h for word in named for h in _hosts(inventory, word))
    return [h for h in chosen if h not in without and all(h in hosts for hosts in both)]


def _hosts(inventory: Inventory, word: str) -> list[str]:
    part = _SUBSCRIPT.fullmatch(word)
    if part:
        return _part(_hosts(inventory, part["name"]), part)
    if word in ("all", "*"):
        return inventory.members(ALL)
    if word.startswith("~"):
        named = _expression(word[1:])
        members = [h for g in inventory.groups if named.match(g) for h in inventory.members(g)]
        return list(dict.fromkeys([*members, *filter(named.match, inventory.hosts)]))
    groups = [g for g in inventory.groups if fnmatch.fnmatchcase(g, word)]
    members = [h for group in groups for h in inventory.members(group)]
    return [*members, *(h for h in inventory.hosts if fnmatch.fnmatchcase(h, word))]


def _part(hosts: list[str], part: re.Match[str]) -> list[str]:
    """Return `web[0]`, `web[1:]` or `web[0:1]`, whose last one is meant too."""
    first = int(part["first"] or 0)
    if not part["range"]:
        return hosts[first:][:1] if first >= -len(hosts) else []
    last = int(part["last"] or -1)
    return hosts[first:] if last == -1 else hosts[first : last + 1]


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidInstance(f"hosts: ~{text}: {error}", "correct the expression") from None
