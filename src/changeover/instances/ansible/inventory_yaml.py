"""Inventories in YAML, and what a program prints with `--list`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import ALL, Inventory, expanded
from changeover.instances.ansible.varfile import parse_yaml
from changeover.sources.program import answered, ending

LIMIT = 120.0
"""Seconds a program that lists an inventory may take."""

_KEYS = ("hosts", "vars", "children")


def read_yaml_inventory(inventory: Inventory, path: Path, text: str) -> None:
    """Read groups, hosts and variables; raises `InvalidInstance` with the place."""
    value, places, _ = parse_yaml(text, str(path))
    if not isinstance(value, dict):
        raise InvalidInstance(f"{path}: is no inventory", "write all: {hosts: {...}}")
    if "plugin" in value:
        raise InvalidInstance(
            f"{path}: asks the inventory plugin `{value['plugin']}`, which is not run here",
            f"keep what it says: ansible-inventory -i {path} --list --yaml > hosts.yml",
        )
    for name, group in value.items():
        where = str(places.get(str(name), path))
        _group(inventory, str(name), group, (path, where))


def _group(inventory: Inventory, name: str, written: Any, at: tuple[Path, str]) -> None:
    path, where = at
    group = inventory.group(name)
    if written is None:
        return
    if not isinstance(written, dict) or set(written) - set(_KEYS):
        raise InvalidInstance(f"{where}: group `{name}`", f"it may have: {', '.join(_KEYS)}")
    group.vars |= _mapping(written.get("vars"), f"{where}: vars of {name}")
    for pattern, given in _mapping(written.get("hosts"), f"{where}: hosts of {name}").items():
        names, port = expanded(str(pattern), where)
        for host in names:
            values = inventory.host(host, name, path)
            values |= {"ansible_port": port} if port else {}
            values |= _mapping(given, f"{where}: host {host}")
    for child, below in _mapping(written.get("children"), f"{where}: children of {name}").items():
        if name != ALL:
            inventory.below(name, str(child))
        _group(inventory, str(child), below, at)


def run_inventory(inventory: Inventory, path: Path) -> None:
    """Run an executable inventory, as Ansible does; raises `InvalidInstance`."""
    try:
        done = answered([str(path), "--list"], LIMIT)
        if done.returncode:
            raise ValueError(ending(done))
        listed = json.loads(done.stdout)
        if not isinstance(listed, dict):
            raise TypeError("prints no JSON object")
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired) as error:
        raise InvalidInstance(
            f"{path}: the inventory program failed: {error}", f"run {path} --list to see why"
        ) from None
    _take_listed(inventory, listed, path)


def _take_listed(inventory: Inventory, listed: Mapping[str, Any], path: Path) -> None:
    known = _mapping(_mapping(listed.get("_meta"), f"{path}: _meta").get("hostvars"), str(path))
    for name, written in listed.items():
        if name == "_meta":
            continue
        group = written if isinstance(written, dict) else {"hosts": written}
        inventory.group(name).vars |= _mapping(group.get("vars"), f"{path}: {name}")
        for host in group.get("hosts") or []:
            inventory.host(str(host), name, path).update(known.get(host) or {})
        for child in (group.get("children") or []) if name != ALL else []:
            inventory.below(name, str(child))


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInstance(f"{where}: must be `name: value` lines", "correct the inventory")
    return {str(k): v for k, v in value.items()}
