"""Which known reference an edited file was made from: a guess, with its distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.identity import likeness
from changeover.merge.tree import Value
from changeover.merge.verdict import Unreadable


@dataclass(frozen=True)
class Guess:
    """The most similar reference; `distance` is 0 for the same settings and 1 for none."""

    reference: str
    distance: float


def guess_base(
    ours: bytes, references: Mapping[str, bytes], *, name: str, format: str | None = None
) -> Guess | None:
    """Return the reference an edited file is most like; None where none can be read.

    Raises `Unreadable` where the edited file cannot be read itself.
    """
    text = decode(ours).text
    form = load(format or detect(name, text))
    value = _value(form, text)
    scored = []
    for label, content in references.items():
        try:
            scored.append((1 - likeness(value, _value(form, decode(content).text)), label))
        except Unreadable:
            continue
    if not scored:
        return None
    distance, label = min(scored, key=lambda pair: pair[0])
    return Guess(label, round(distance, 4))


def _value(form: Format, text: str) -> Value:
    """Return what a text means; of a plain one, its lines."""
    if form.name != "text":
        return form.values(text)
    return [line.strip() for line in text.split("\n") if line.strip()]
