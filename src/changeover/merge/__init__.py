"""Three-way merges of configuration files by structure: pure, from bytes to bytes."""

from __future__ import annotations

from changeover.merge.engine import merge
from changeover.merge.verdict import Answer, Conflict, Merged, Note, Side, Unreadable

__all__ = ["Answer", "Conflict", "Merged", "Note", "Side", "Unreadable", "merge"]
