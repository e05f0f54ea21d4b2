"""A merged file reduced to an override, with a question for what no override can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.joining import Text, laid_together
from changeover.merge.overriding import override, overriding_form
from changeover.merge.settings import value_at
from changeover.merge.tree import Plain, Value
from changeover.merge.verdict import (
    Answer,
    Conflict,
    Merged,
    Side,
    Unreadable,
    parse_answer,
    split_path,
)

UNSAID = "unsaid"
"""The kind of conflict of what was taken out here: an override can only add and replace."""
_ASKED = "an override adds and replaces, it takes nothing away: `theirs` does without"
_RESET = "; `ours` writes `!reset`, which Docker Compose knows from 2.24 on"


def reduced(
    content: bytes,
    theirs: bytes,
    *,
    name: str,
    format: str | None = None,
    answers: Mapping[str, Answer | str] | None = None,
) -> Merged:
    """Return what a file says beyond the reference, as an override.

    Settings that were taken out are conflicts of the kind `unsaid`, unless they are answered
    `theirs`, or `ours` where the format has a word for it. Raises `Unreadable`.
    """
    form = format or detect(name, decode(theirs).text)
    given = {
        path: parse_answer(a) if isinstance(a, str) else a for path, a in (answers or {}).items()
    }
    wanted = [path for path, answer in given.items() if answer.choice == "ours"]
    found = override(theirs, content, name=name, format=form, resets=wanted)
    for path in found.unsaid:
        if path in wanted:
            said = f"{path}: {form} overrides have no word for taking it out; answer `theirs`"
            raise Unreadable(said)
    known = load(form).values(decode(theirs).text)
    left = tuple(_unsaid(path, form, known) for path in found.unsaid if path not in given)
    return Merged(found.text, left, (), form)


def _unsaid(path: str, form: str, theirs: Value) -> Conflict:
    reason = _ASKED + (_RESET if form == "compose" else "")
    words = split_path(path)
    value = value_at(theirs, words)
    shown = words[-1] if value is None else _shown(value)
    return Conflict(path, UNSAID, None, None, Side(shown), reason)


def _shown(value: Value) -> str:
    """Return a value for people; of what is inside tables, names alone: some may be secrets."""
    if isinstance(value, dict):
        return f"{{{', '.join(value)}}}"
    if isinstance(value, list):
        return f"{len(value)} elements"
    return value.text if isinstance(value, Plain) else value


def layered_texts(texts: Sequence[bytes], *, format: str) -> bytes:
    """Return overrides as one; what a later one says counts."""
    said = [text for text in texts if text.strip()]
    if len(said) < 2:
        return said[0] if said else b""
    form = overriding_form(format)
    sources = [decode(text) for text in said]
    joined = laid_together(form, [Text("", source.text) for source in sources])
    form.values(joined)
    return sources[0].written(joined)
