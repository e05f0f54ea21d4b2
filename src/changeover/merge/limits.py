"""What a configuration file may cost: larger or deeper ones are refused, with the place."""

from __future__ import annotations

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 200_000
