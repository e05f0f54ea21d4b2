"""What a file says about an image, and the text it says it in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from changeover.errors import ChangeoverError
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.reference import Reference, parse_reference

LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True)
class Mention:
    """An image as a file names it."""

    file: Path
    line: int
    written: str
    """As it stands there, variables included."""
    reference: Reference
    start: int = 0
    """Where `written` begins in the text of the file, quotes not counted."""
    end: int = 0
    env: Path | None = None
    """The `.env` file its variables come from."""
    name: str = ""
    """What a release calls it."""
    edition: str = ""
    """The edition of the release that uses it; empty where all do."""

    @property
    def label(self) -> str:
        """Return the image's name and edition as people say them; empty outside releases."""
        return f"{self.name} ({self.edition})" if self.edition else self.name


def read_text(file: Path) -> str:
    """Return the text of a file people wrote; raises `BadReference`."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadReference(f"{file}: larger than 4 MiB", "is it the right file?")
        # Bytes first: text mode would change line ends that a rewrite must keep.
        return file.read_bytes().decode("utf-8")
    except OSError as e:
        raise BadReference(f"{file}: {e.strerror}", "check the path") from None
    except UnicodeDecodeError as e:
        raise BadReference(f"{file}: byte {e.start} is not UTF-8", "save it as UTF-8") from None


def parsed(written: str, file: Path, line: int, column: int) -> Reference:
    """Return the reference that stands at a place; raises `BadReference`, which names it."""
    try:
        return parse_reference(written)
    except ChangeoverError as e:
        raise BadReference(f"{file}:{line}:{column}: {e.message}", e.remedy) from None
