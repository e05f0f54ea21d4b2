"""Reading an environment as far as it can be read."""

from __future__ import annotations

from pathlib import Path

from changeover.cli.options import given_here
from changeover.errors import InvalidInstance
from changeover.instances.folder import open_instance
from changeover.instances.secrets import Learner, Secrets, unheard
from changeover.model.instance import Instance


def read_environment(
    folder: Path, learn: Learner = unheard
) -> tuple[Instance, Secrets, InvalidInstance | None]:
    """Return an environment with its secrets, and what it lacks; raise where nothing can be read.

    One that lacks variables has its hosts and its description, and no addresses.
    """
    try:
        return *open_instance(folder, learn, given_here()), None
    except InvalidInstance as error:
        return *open_instance(folder, learn, given_here(incomplete=True)), error
