"""The journal of an instance, for commands that need neither its hosts nor its secrets."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from changeover.engine.store import Store
from changeover.errors import InvalidInstance


def reading_store(folder: Path) -> Store:
    """Open the journal of an instance without its hosts or secrets."""
    named = os.environ.get("CHANGEOVER_STATE")
    if not named and not (folder / "instance.yaml").is_file():
        raise InvalidInstance(
            f"{folder}: is not an instance: it has no instance.yaml",
            "name one: -i FOLDER; or write one: changeover instance init FOLDER",
        )
    return Store(Path(named) if named else folder / ".changeover")


def operator_name() -> str:
    """Return who is at work: `SUDO_USER` where there is one, else the login."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
