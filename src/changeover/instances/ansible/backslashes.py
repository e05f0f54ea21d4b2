"""Backslashes in templates: YAML has read them already, so Jinja takes them as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2.lexer import Lexer


class KeptBackslashes(Lexer):
    """Reads `{{ x | regex_replace('(a)', '\\1') }}` as Ansible does: `\\1` is no character code.

    Only inside `{{ }}`; in `{% %}` Jinja's own rule counts, there as here.
    """

    def tokeniter(self, *words: Any, **named: Any) -> Iterator[tuple[int, str, str]]:
        """Yield Jinja's tokens, backslashes in texts doubled."""
        inside = False
        for line, kind, text in super().tokeniter(*words, **named):
            inside = kind == "variable_begin" or (inside and kind != "variable_end")
            kept = inside and kind == "string"
            yield line, kind, text.replace("\\", "\\\\") if kept else text
