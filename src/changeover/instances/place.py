"""What kind of instance a folder is, and where its journal is kept on this machine."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from changeover.errors import InvalidInstance
from changeover.model.problem import nearest

INSTANCE = "instance.yaml"
STATE = ".changeover"
EXTRAS = ("changeover.yaml", ".changeover.yaml")
"""What an Ansible environment has beside its inventory for this tool alone.

The hidden name is for inventories that are a folder: Ansible would read the other as one.
"""

PASSED_OVER = frozenset(("node_modules", "venv", "roles", "templates", "tests", "group_vars"))
"""Folders in which nobody keeps an instance."""
LOOKED_INTO, MOST = 300, 12
"""Folders that are looked into for an instance that may have been meant, and how many are named."""

INVENTORIES = ("hosts", "inventory")
ENDINGS = ("", ".yml", ".yaml", ".ini", ".json", ".py", ".sh")


def state_folder(folder: Path) -> Path:
    """Return the folder for the journal: `CHANGEOVER_STATE`, or `.changeover` in the instance."""
    if not (folder / INSTANCE).is_file() and not is_environment(folder):
        raise no_instance(folder)
    named = os.environ.get("CHANGEOVER_STATE")
    if named:
        return Path(named)
    if not folder.is_file():
        return folder / STATE
    # Several inventories may share a folder: each has a journal of its own.
    return folder.parent / (STATE if folder.stem in INVENTORIES else f"{STATE}-{folder.stem}")


def no_instance(folder: Path) -> InvalidInstance:
    """Return the error for a folder that is none, with those that may have been meant."""
    there = folder.exists()
    found = {str(place): place.name for place in islice(_below(folder if there else Path()), MOST)}
    meant = "" if there else nearest(folder.name, found.values())
    likely = [place for place, name in found.items() if name == meant]
    if likely:
        remedy = f"did you mean -i {likely[0]}?"
    elif found:
        remedy = f"name one: -i {', '.join(found)}"
    else:
        remedy = "name one: -i FOLDER; or write one: changeover instance init FOLDER"
    what = f"it has no {INSTANCE}, and no inventory of Ansible" if there else "no such folder"
    if os.path.lexists(folder / INSTANCE):
        what, remedy = f"its {INSTANCE} is no file", "look where it leads: ls -l"
    return InvalidInstance(f"{folder}: is not an instance: {what}", remedy)


def _below(top: Path) -> Iterator[Path]:
    """Yield the instances and environments below a folder, the nearest first."""
    waiting = deque([top])
    for _ in range(LOOKED_INTO):
        if not waiting:
            return
        top = waiting.popleft()
        try:
            folders = sorted(p for p in top.iterdir() if p.is_dir())
            yield from inventories_in(top)
        except OSError:
            continue
        for folder in folders:
            if folder.is_symlink() or folder.name[0] == "." or folder.name in PASSED_OVER:
                continue
            if (folder / INSTANCE).is_file() or is_environment(folder):
                yield folder
            else:
                waiting.append(folder)


def is_environment(path: Path) -> bool:
    """Say whether a folder, or an inventory in it, looks like an Ansible environment."""
    if path.is_file():
        return True
    return usual_inventory(path) is not None or any((path / name).is_file() for name in EXTRAS)


def usual_inventory(folder: Path) -> Path | None:
    """Return what is called like an inventory, or the folder where variables lie beside several."""
    usual = (folder / f"{name}{ending}" for name in INVENTORIES for ending in ENDINGS)
    first = next((path for path in usual if path.exists() and not _holds_several(path)), None)
    if first:
        return first
    beside = (folder / "group_vars").is_dir() or (folder / "host_vars").is_dir()
    # Beside roles and playbooks are variables of all environments: which one is not said.
    return folder if beside and not (folder / "roles").is_dir() else None


def inventories_in(folder: Path) -> list[Path]:
    """Return the inventories beside a playbook's roles: `production`, `staging` and the like."""
    if not (folder / "roles").is_dir() or not (folder / "group_vars").is_dir():
        return []
    files = (p for p in sorted(folder.iterdir()) if p.suffix in ("", ".ini") and p.is_file())
    return [path for path in files if path.stem not in INVENTORIES and _begins_with_group(path)]


def _begins_with_group(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = (line.strip() for line in islice(file, 200))
        return next((line for line in lines if line and line[0] not in "#;"), "")[:1] == "["


def _holds_several(path: Path) -> bool:
    """Say whether a folder called `inventory` is one of environments, each with its own."""
    if not path.is_dir():
        return False
    return any(usual_inventory(below) for below in path.iterdir() if below.is_dir())
