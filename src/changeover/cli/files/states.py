"""What the commands about a release's files show of each."""

from __future__ import annotations

from changeover.cli.files.asking import settled
from changeover.cli.files.configured import Configured
from changeover.errors import ChangeoverError
from changeover.views.files import FileState


def state_of(file: Configured) -> FileState:
    """Look at a file; what cannot be read is told, not raised."""
    action = file.action
    shown = (file.host.name, action.path, action.config, file.reference)
    try:
        outcome = file.outcome
        settings = file.settings() if file.is_there else ()
    except ChangeoverError as error:
        return FileState(*shown, problem=error.message, awaits=file.awaits)
    base = outcome.base
    return FileState(
        *shown,
        base=base.origin if base else "",
        sure=bool(base and base.sure),
        settings=settled(settings, file.conflicts),
        conflicts=file.conflicts,
        notes=tuple(f"{n.path}: {n.text}" if n.path else n.text for n in outcome.notes),
        missing=not file.is_there,
        awaits=file.awaits,
    )
