"""Where the journal of an instance is kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from changeover.errors import InvalidInstance

INSTANCE = "instance.yaml"
STATE = ".changeover"


def state_folder(folder: Path) -> Path:
    """Return the folder for the journal: `CHANGEOVER_STATE`, or `.changeover` in the instance."""
    if not (folder / INSTANCE).is_file():
        raise InvalidInstance(
            f"{folder}: is not an instance: it has no {INSTANCE}",
            "name one: -i FOLDER; or write one: changeover instance init FOLDER",
        )
    named = os.environ.get("CHANGEOVER_STATE")
    return Path(named) if named else folder / STATE
