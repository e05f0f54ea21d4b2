"""Answers that are remembered: keyed digests of what was asked, and what was decided."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from changeover.errors import InvalidInput
from changeover.merge.verdict import Answer, Conflict, Side

_SECRET = re.compile(
    r"(?i)pass(?:w(?:or)?d|phrase)?|secret|token|api_?key|private|credential|dsn|salt|_key\b"
)
_HARMLESS = re.compile(
    r"(?i)(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_pass(?![a-z])|bypass|pass(?:ive|through|enger)"
    r"|server_tokens"
)
"""Words that only look like one: directives of nginx, mostly."""
_SIDES = ("base", "ours", "theirs")


def is_secret(path: str) -> bool:
    """Return whether the words of a path speak of a secret."""
    return _SECRET.search(_HARMLESS.sub("", path)) is not None


def digest(key: bytes, side: Side | None) -> str:
    """Return the keyed digest of one text: it tells whether it changed, and nothing else."""
    text = "" if side is None else "=" + side.text
    return hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:32]


def load_answers(text: str, where: str = "answers.yaml") -> dict[str, dict[str, Any]]:
    """Read the file of answers: `{file: {path: {answer, base, ours, theirs}}}`."""
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise InvalidInput(f"{where}: not YAML: {error}", "mend it or delete it") from error
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise InvalidInput(f"{where}: has to be a map of files to answers", "mend or delete it")
    return found


def dump_answers(answers: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the file of answers."""
    return yaml.safe_dump({k: dict(v) for k, v in answers.items()}, sort_keys=True)


def remembered(
    known: Mapping[str, Any], conflicts: Iterable[Conflict], key: bytes
) -> dict[str, Answer]:
    """Return the answers that were given to exactly these questions."""
    found = {}
    for conflict in conflicts:
        entry = known.get(conflict.path)
        if not isinstance(entry, dict):
            continue
        same = all(
            hmac.compare_digest(str(entry.get(side)), digest(key, getattr(conflict, side)))
            for side in _SIDES
        )
        if same and entry.get("answer") in ("ours", "theirs"):
            found[conflict.path] = Answer(str(entry["answer"]))
        elif same and "value" in entry:
            found[conflict.path] = Answer("value", str(entry["value"]))
    return found


def remember(conflict: Conflict, answer: Answer, key: bytes) -> dict[str, str] | None:
    """Return what is written down for one answer; None for a value that may be a secret."""
    entry = {side: digest(key, getattr(conflict, side)) for side in _SIDES}
    if answer.choice != "value":
        return {"answer": answer.choice, **entry}
    return None if is_secret(conflict.path) else {"value": answer.value, **entry}
