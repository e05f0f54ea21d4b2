"""What kind of instance a folder is, and where its journal is kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from changeover.errors import InvalidInstance

INSTANCE = "instance.yaml"
STATE = ".changeover"
EXTRAS = ("changeover.yaml", ".changeover.yaml")
"""What an Ansible environment has beside its inventory for this tool alone.

The hidden name is for inventories that are a folder: Ansible would read the other as one.
"""

INVENTORIES = ("hosts", "inventory")
ENDINGS = ("", ".yml", ".yaml", ".ini", ".json", ".py", ".sh")


def state_folder(folder: Path) -> Path:
    """Return the folder for the journal: `CHANGEOVER_STATE`, or `.changeover` in the instance."""
    if not (folder / INSTANCE).is_file() and not is_environment(folder):
        raise InvalidInstance(
            f"{folder}: is not an instance: it has no {INSTANCE}, and no inventory of Ansible",
            "name one: -i FOLDER; or write one: changeover instance init FOLDER",
        )
    named = os.environ.get("CHANGEOVER_STATE")
    if named:
        return Path(named)
    if not folder.is_file():
        return folder / STATE
    # Several inventories may share a folder: each has a journal of its own.
    return folder.parent / (STATE if folder.stem in INVENTORIES else f"{STATE}-{folder.stem}")


def is_environment(path: Path) -> bool:
    """Say whether a folder, or an inventory in it, looks like an Ansible environment."""
    if path.is_file():
        return True
    return usual_inventory(path) is not None or any((path / name).is_file() for name in EXTRAS)


def usual_inventory(folder: Path) -> Path | None:
    """Return what is called like an inventory, or the folder where variables lie beside several."""
    usual = (folder / f"{name}{ending}" for name in INVENTORIES for ending in ENDINGS)
    first = next((path for path in usual if path.exists()), None)
    if first:
        return first
    beside = (folder / "group_vars").is_dir() or (folder / "host_vars").is_dir()
    return folder if beside else None
