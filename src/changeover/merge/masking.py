"""What may be shown of settings: no secrets, known by their paths, no passwords in addresses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from dataclasses import replace
from fnmatch import fnmatchcase

from changeover.merge.answers import is_secret
from changeover.merge.catalogue import detect, load
from changeover.merge.encoding import decode
from changeover.merge.formats.base import Format
from changeover.merge.tree import Block, Key, walk
from changeover.merge.verdict import Conflict, Side, Unreadable, shown_path, split_path

HIDDEN = "•••"
_ADDRESS = re.compile(r"(?P<start>\b[\w+.-]+://[^\s/:@]*:)[^\s/@]+(?=@)")

_ASSIGNED = re.compile(
    r"""(?P<start>(?P<name>[A-Za-z_][\w.-]*)["']?\s*[:=]\s*)"""
    r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;]+)"""
)
_DIRECTIVE = re.compile(r"(?P<start>\s*(?P<name>[A-Za-z_][\w.-]*)[ \t]+)[^\s:=].*")
"""A setting that is written `name value`, without a sign between."""


def is_hidden(path: str, secrets: Collection[str] = ()) -> bool:
    """Return whether a setting may not be shown: by its name, or because the release says so.

    Secrets are paths of settings or of tables; they may hold `*`.
    """
    words = split_path(path)
    return is_secret(path) or any(_within(words, split_path(secret)) for secret in secrets)


def _within(path: Key, secret: Key) -> bool:
    return len(path) >= len(secret) and all(map(fnmatchcase, path, secret))


def masked_text(text: str) -> str:
    """Return a text without the passwords of the addresses in it."""
    return _ADDRESS.sub(rf"\g<start>{HIDDEN}", text)


def masked_conflict(conflict: Conflict, secrets: Collection[str] = ()) -> Conflict:
    """Return a conflict as it may be shown; of secrets only where they stand."""

    def shown(side: Side | None) -> Side | None:
        return side and replace(side, text=masked_setting(conflict.path, side.text, secrets))

    return replace(
        conflict,
        base=shown(conflict.base),
        ours=shown(conflict.ours),
        theirs=shown(conflict.theirs),
    )


def masked_setting(path: str, text: str, secrets: Collection[str] = ()) -> str:
    """Return what stands at a path as it may be shown."""
    return HIDDEN if is_hidden(path, secrets) else masked_lines(text, secrets)


def masked_file(
    content: bytes, format: str | None, name: str, secrets: Collection[str] = ()
) -> bytes:
    """Return a whole file as it may be shown; one that cannot be read is masked line by line."""
    text = decode(content).text
    with contextlib.suppress(Unreadable):
        text = _by_structure(load(format or detect(name, text)), text, secrets)
    return masked_lines(text, secrets).encode("utf-8", "surrogateescape")


def _by_structure(form: Format, text: str, secrets: Collection[str]) -> str:
    """Hide what is secret by its whole path, or written over several lines."""
    spans = []
    for path, item, offset in walk(form.read(text)[0]):
        value = item.value
        if value is None or isinstance(value, Block) or not is_hidden(shown_path(path), secrets):
            continue
        bare = value.text.strip()
        start = offset + len(item.head) + value.text.index(bare)
        spans.append((start, start + len(bare)))
    for start, end in sorted(spans, reverse=True):
        if start < end:
            text = text[:start] + HIDDEN + text[end:]
    return text


def masked_lines(text: str, secrets: Collection[str] = ()) -> str:
    """Return a piece of a file with the values of secrets hidden, line by line."""
    words = {split_path(secret)[-1] for secret in secrets}
    return "\n".join(masked_text(_line(line, words)) for line in text.split("\n"))


def _line(line: str, words: Collection[str]) -> str:
    def is_named(found: re.Match[str]) -> bool:
        return found["name"] in words or is_secret(found["name"])

    directive = _DIRECTIVE.match(line)
    if directive and is_named(directive):
        return directive["start"] + HIDDEN
    shown, at = "", 0
    while found := _ASSIGNED.search(line, at):
        # The value of one that is no secret may hold others: `environment=TOKEN="x"`.
        hide = is_named(found)
        end = found.end() if hide else found.end("start")
        shown += line[at : found.end("start")] + (HIDDEN if hide else "")
        at = end
    return shown + line[at:]
