"""systemd units and drop-ins: some directives repeat, some hold words, an empty one resets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from changeover.merge.formats.base import Format, Read
from changeover.merge.formats.linewise import (
    Dialect,
    add_repeated,
    normal,
    parts_of,
    read_lines,
    sectioned,
)
from changeover.merge.formats.repeated import REPEATED, gathered, place_of
from changeover.merge.formats.sections import Part, Sections
from changeover.merge.tree import Block, Item, Key, Leaf, Value
from changeover.merge.values import Meaning
from changeover.merge.verdict import Note

_WORDS = {
    "After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds",
    "Conflicts", "OnFailure", "OnSuccess", "WantedBy", "RequiredBy", "UpheldBy", "Also", "Alias",
    "Documentation", "SupplementaryGroups", "ReadWritePaths", "ReadOnlyPaths",
    "InaccessiblePaths", "BindPaths", "BindReadOnlyPaths", "CapabilityBoundingSet",
    "AmbientCapabilities", "SystemCallFilter", "RestrictAddressFamilies", "RuntimeDirectory",
    "StateDirectory", "CacheDirectory", "LogsDirectory", "RequiresMountsFor", "PassEnvironment",
    "UnsetEnvironment", "DeviceAllow", "DNS", "NTP", "FallbackDNS", "FallbackNTP", "Domains",
}  # fmt: skip
_ENVIRONMENT = "Environment"
_WORD = re.compile(r'(?:"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\\[^\n]|[^\s"\'\\])+')
_GAP = re.compile(r"(?:[ \t]|\\\n)*")


def _value(key: str, text: str) -> Leaf | Block:
    if key not in _WORDS and key != _ENVIRONMENT:
        return Leaf(text, _command(text))
    block = Block([], "map" if key == _ENVIRONMENT else "list", flow=True, comma="")
    place = 0
    while True:
        gap = _GAP.match(text, place)
        start = gap.end() if gap else place
        found = _WORD.match(text, start)
        if found is None:
            break
        word = found.group(0)
        block.items.append(_word(text[place:start], word, block.shape))
        place = found.end()
    block.close = text[place:]
    if not block.items or block.close.strip():
        return Leaf(text, _command(text))
    return block


def _word(lead: str, word: str, shape: str) -> Item:
    bare = word[1:-1] if word[0] in "'\"" and word[-1] == word[0] else word
    if shape == "list":
        return Item("entry", lead, Leaf(word, bare), group="")
    name, _, value = bare.partition("=")
    return Item("entry", lead, Leaf(word, value), key=(name,))


def _command(text: str) -> str:
    if "\\" not in text:
        return " ".join(text.split())
    return " ".join(re.sub(r"\\[ \t]*\n(?:[ \t]*[#;][^\n]*\n)*", " ", text).split())


_DIALECT = Dialect(
    header=re.compile(r"\s*\[([^\]\n]+)\][ \t]*(?:\n|\Z)"),
    entry=re.compile(
        r"(?P<head>[ \t]*(?P<key>[^\s=]+)[ \t]*=)(?P<value>.*?)(?P<tail>[ \t]*\n?)\Z", re.DOTALL
    ),
    comments="#;",
    continued="backslash",
    value=_value,
    repeated=REPEATED,
)


def read(text: str) -> tuple[Block, Value]:
    """Read a unit."""
    return read_lines(text, _DIALECT), values(text)


def values(text: str) -> Value:
    """Return `{section: {directive: value}}`, read without the tree.

    Words become lists, the variables of Environment= a map of their own.
    """
    result: dict[str, Value] = {}
    section: dict[str, Value] = result
    for line in re.sub(r"\\[ \t]*\n(?:[ \t]*[#;][^\n]*\n)*", " ", text).split("\n"):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if stripped.startswith("[") and stripped.endswith("]"):
            made = result.setdefault(place_of(stripped[1:-1], len(result)), {})
            section = made if isinstance(made, dict) else {}
            continue
        key, _, value = stripped.partition("=")
        _add(section, key.strip(), normal(value))
    return gathered(result)


def _add(section: dict[str, Value], key: str, value: str) -> None:
    words = [_bare(word) for word in _WORD.findall(value)]
    if key == _ENVIRONMENT and words:
        known = section.setdefault(key, {})
        pairs = {name: text for name, _, text in (word.partition("=") for word in words)}
        section[key] = {**known, **pairs} if isinstance(known, dict) else known
    elif key in _WORDS:
        # An empty one takes away those before it, in lists that are no dependencies.
        known = section.setdefault(key, [])
        section[key] = [*known, *(words or [""])] if isinstance(known, list) else known
    else:
        add_repeated(section, key, " ".join(value.split()))


def _bare(word: str) -> str:
    return word[1:-1] if word[0] in "'\"" and word[-1] == word[0] else word


def _identify(path: Key, value: Value) -> str | None:
    if path and path[-1] == _ENVIRONMENT and isinstance(value, dict):
        return " ".join(sorted(value))
    if path and path[-1] in _WORDS and isinstance(value, str):
        return value
    return None


def masked_commands(result: Value, ours: Value, theirs: Value) -> list[Note]:
    """Note a command that resets the ones before it: what the vendor changes there is hidden."""
    notes = []
    service = ours.get("Service", {}) if isinstance(ours, dict) else {}
    vendor = theirs.get("Service", {}) if isinstance(theirs, dict) else {}
    for key, value in service.items() if isinstance(service, dict) else ():
        resets = key.startswith("Exec") and isinstance(value, list) and "" in value
        new = vendor.get(key) if isinstance(vendor, dict) else None
        if resets and new is not None and new != value:
            notes.append(Note(f"Service.{key}", "reset here: the reference's command is not used"))
    return notes


def make(key: str, value: Value, block: Block, like: Item | None) -> Item | None:
    """Write a new word of a list; other settings stay with their lines."""
    if block.shape != "list" or not isinstance(value, str):
        return None
    return Item("entry", " ", Leaf(value, value), group="")


def _parts(text: str) -> Iterable[Part]:
    return parts_of(text, _DIALECT)


def read_several() -> Read:
    """Return a reader for texts that have much in common."""
    header = re.compile(r"(?m)^\[")
    return Sections(
        header, lambda text: _parts, lambda parts, text: (sectioned(parts), values(text)), read
    ).read


FORMAT = Format("systemd", read, values, Meaning(identify=_identify, repeats=True),
                make=make, remarks=masked_commands, several=read_several)  # fmt: skip
