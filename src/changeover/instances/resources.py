"""What an environment needs from others, as its file says it."""

from __future__ import annotations

from collections.abc import Mapping

from changeover.instances.written import PlaceWritten
from changeover.model.instance import Resource


def resources_of(written: PlaceWritten) -> Mapping[str, Resource]:
    """Return what an environment needs from others, by kind."""
    return {k: Resource(r.where, r.contact, r.of) for k, r in written.resources.items()}
