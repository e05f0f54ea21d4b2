"""Texts of files on their way through a program's output: in base64, so that no byte is lost."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

LARGEST = 1024
"""KiB of the largest file that is fetched."""


def parse_texts(output: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each line `base64 name`."""
    for line in output.splitlines():
        packed, _, name = line.partition(" ")
        try:
            yield name, base64.b64decode(packed, validate=True)
        except binascii.Error:
            continue
