"""The journal of an instance, for commands that need neither its hosts nor its secrets."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from changeover.engine.store import Store
from changeover.instances.place import state_folder


def reading_store(folder: Path) -> Store:
    """Open the journal of an instance without its hosts or secrets."""
    return Store(state_folder(folder))


def operator_name() -> str:
    """Return who is at work: `SUDO_USER` where there is one, else the login."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
