"""Secrets are known by name; their values are masked in everything shown or stored."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus, unquote

SHORTEST = 4
"""Shorter values are not masked inside other text: `a` would blacken every line."""


def forms(value: str) -> set[str]:
    """Return the spellings a value may take: as it is, URL-encoded, JSON-quoted, base64."""
    raw = value.encode()
    coded = {base64.b64encode(raw[i:]).decode().rstrip("=")[1:-1] for i in range(3)}
    spelled = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    spelled |= {unquote(value), *value.splitlines(), raw.hex()}
    return {s for s in spelled if len(s.strip()) >= SHORTEST} | {
        c for c in coded if len(c) >= 2 * SHORTEST
    }


class Masker:
    """Replaces every known secret value by `•••`, whatever spelling it takes."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._spelled: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for value in values:
            self.learn(value)

    def learn(self, value: str) -> None:
        """Mask this value from now on."""
        if len(value) < SHORTEST:
            return
        self._spelled |= forms(value)
        longest_first = sorted(self._spelled, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def text(self, shown: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub("•••", shown) if self._pattern else shown

    def tree(self, value: Any) -> Any:
        """Return JSON-like data without secrets, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.tree(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(v) for v in value]
        return value
