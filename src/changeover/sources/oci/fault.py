"""What can go wrong between registries, and whether trying again could help.

ChangeoverError
  InvalidInput
    BadReference      a reference or a list of them is written wrong
  ImageFault          something about one image; the others go on
    Missing           the registry answered, and does not have it
    Denied            the registry knows us, or does not, and says no
    Corrupt           bytes do not have the digest or the size they should have
    Unsupported       a format this tool refuses to carry
    NoSpace           a disk is full
    Passing           may go away: worth another try within the budget
"""

from __future__ import annotations

from changeover.errors import ChangeoverError, InvalidInput


class BadReference(InvalidInput):
    """A reference to an image is written wrong."""


class ImageFault(ChangeoverError):
    """Something about one image; the others go on."""


class Missing(ImageFault):
    """The registry answered, and does not have it."""


class Denied(ImageFault):
    """Credentials are missing, wrong, or not enough."""


class Corrupt(ImageFault):
    """Bytes do not have the digest or the size they should have."""


class Unsupported(ImageFault):
    """A format or an answer this tool refuses."""


class NoSpace(ImageFault):
    """A disk is full."""


class Passing(ImageFault):
    """May go away: a cut connection, a stall, 429, 5xx."""

    def __init__(self, message: str, remedy: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after
