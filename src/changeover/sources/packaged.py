"""The guides that come with this tool: a hub nobody has to name."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "guides", _PACKAGE.parent.parent / "guides")
"""Inside the installed package, or beside `src` in a checkout."""


def packaged_guides() -> Path | None:
    """Return the folder of the guides; None where the package was built without them."""
    return next((place for place in _PLACES if place.is_dir()), None)
