"""The journal of an instance, for commands that need neither its hosts nor its secrets."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from changeover.engine.store import Store
from changeover.engine.workstation import OPERATOR
from changeover.instances.place import state_folder


def reading_store(folder: Path, run: str | None = None) -> Store:
    """Open the journal of an instance, or of this machine for a run of it; nothing else."""
    state = state_folder(folder)
    own = state / OPERATOR
    return Store(own if run and run.startswith(OPERATOR) and own.is_dir() else state)


def own_store(folder: Path) -> Store | None:
    """Open the journal of work on this machine; none where there was none."""
    own = state_folder(folder) / OPERATOR
    return Store(own) if own.is_dir() else None


def operator_name() -> str:
    """Return who is at work: `SUDO_USER` where there is one, else the login."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
