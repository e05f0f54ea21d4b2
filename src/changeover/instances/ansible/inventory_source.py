"""Finding and reading the inventory of an environment: a file, a program, or a folder of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import Inventory
from changeover.instances.ansible.inventory_ini import IniReader
from changeover.instances.ansible.inventory_yaml import read_yaml_inventory, run_inventory
from changeover.instances.ansible.varfile import parse_yaml, read_bytes
from changeover.instances.place import usual_inventory

OURS = ("changeover.yaml", "answers.yaml", "secrets")
"""What lies beside inventories and is none."""
YAML = (".yml", ".yaml", ".json")

_IGNORED = re.compile(
    r"^\.|^(?:host_vars|group_vars|vars_plugins)$|~$|"
    r"\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry|csv)$"
)
"""Names that Ansible passes over in a folder of inventories."""


def find_inventory(folder: Path, named: str = "") -> Path | None:
    """Return the inventory in an environment's folder; none where there is nothing like one."""
    if named:
        found = folder / named
        if not found.exists():
            raise InvalidInstance(f"{found}: no such inventory", "correct `inventory:`")
        return found
    if folder.is_file():
        return folder
    return usual_inventory(folder)


def read_inventory(path: Path) -> Inventory:
    """Read an inventory; raises `InvalidInstance` with the place of what is wrong."""
    inventory = Inventory(sources=[path])
    _read(inventory, path)
    inventory.refuse_circles()
    if not inventory.hosts:
        raise InvalidInstance(f"{path}: names no host", "write [web] and a host below it")
    return inventory


def _read(inventory: Inventory, path: Path) -> None:
    if path.is_dir():
        _read_folder(inventory, path)
        return
    content = read_bytes(path)
    if os.access(path, os.X_OK) and content.startswith(b"#!"):
        run_inventory(inventory, path)
    elif path.suffix in YAML or (not path.suffix and _is_mapping(content, path)):
        read_yaml_inventory(inventory, path, _text(content, path))
    elif path.suffix == ".toml":
        raise InvalidInstance(
            f"{path}: inventories in TOML are not read here",
            f"ansible-inventory -i {path} --list --yaml > hosts.yml",
        )
    else:
        IniReader(inventory, path).read(_text(content, path))


def _read_folder(inventory: Inventory, folder: Path) -> None:
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if _IGNORED.search(path.name) or path.name in OURS:
            continue
        found = Inventory()
        try:
            _read(found, path)
        except InvalidInstance as error:
            # What is no inventory lies there too; Ansible says so and goes on.
            inventory.passed_over.append(error.message)
        else:
            inventory.absorb(found)
            inventory.read_lately += [str(path)] if path.suffix == ".ini" else []


def _is_mapping(content: bytes, path: Path) -> bool:
    try:
        return isinstance(parse_yaml(content, str(path))[0], dict)
    except InvalidInstance:
        return False


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInstance(f"{path}:{line}: is not UTF-8 text", "save it as UTF-8") from None
