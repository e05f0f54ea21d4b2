"""Values as YAML text that every reader of YAML takes the same way."""

from __future__ import annotations

import json
import re
from typing import Any

_STRANGE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def quoted(value: Any) -> str:
    """Spell JSON-like data on one line; what a text file should not hold is escaped."""
    return _STRANGE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
