"""Text in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """One sentence in one or more languages; `en` unless the author wrote another first."""

    by_language: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.by_language.values())

    def to(self, language: str) -> str:
        """Return the text in a language, else in English, else in the first one there is."""
        found = self.by_language.get(language) or self.by_language.get("en")
        return found or next(iter(self.by_language.values()), "")


def text(value: str | Mapping[str, str] | None) -> Text:
    """Make a text from a plain string or from `{en: ..., fr: ...}`."""
    if not value:
        return Text()
    return Text({"en": value}) if isinstance(value, str) else Text(dict(value))
