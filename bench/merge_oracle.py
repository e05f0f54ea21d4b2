"""Reads settings with parsers that are not the product's: the judge of the merge benchmark."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Callable

import yaml


def read_ini(text: str) -> object:
    """Read INI with the standard library; a repeated key keeps all its values."""
    parser = configparser.RawConfigParser(
        strict=False, allow_no_value=True, delimiters=("=",), dict_type=_Repeating,  # type: ignore[arg-type]  # a dict is enough
        default_section="(none)",
    )  # fmt: skip
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
    parser.read_string("[-]\n" + text)
    return {name: _several(dict(parser[name])) for name in parser.sections()}


class _Repeating(dict[str, object]):
    """Gathers the values of a key that is set twice, as the library sees lists of lines."""

    def __setitem__(self, key: str, value: object) -> None:
        known = self.get(key)
        if isinstance(known, list) and isinstance(value, list):
            value = [*known, _BETWEEN, *value]
        super().__setitem__(key, value)


_BETWEEN = "\x00"


def _several(section: dict[str, str | None]) -> dict[str, object]:
    cut = {key: (value or "").split(f"\n{_BETWEEN}\n") for key, value in section.items()}
    return {key: values[0] if len(values) == 1 else values for key, values in cut.items()}


def read_unit(text: str) -> object:
    """Read a unit: lists of words are sets, variables have names, other keys may repeat."""
    found: dict[str, dict[str, object]] = {}
    section = found.setdefault("", {})
    for line in re.sub(r"\\\n(?:[ \t]*[#;].*\n)*", " ", text).split("\n"):
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            section = found.setdefault(bare, {})
        elif "=" in bare and bare[0] not in "#;":
            key, _, value = bare.partition("=")
            _add_directive(section, key.strip(), value.strip())
    return found


_WORDS = re.compile(
    r"After|Before|Want.*|Requi.*|BindsTo|PartOf|Conflicts|Also|Alias|Documentation|.*Paths?"
    r"|Capa.*|Ambient.*|SystemCallFilter|Restrict.*Families|(?!Working).*Directory"
    r"|On(?:Failure|Success)|.*Groups|DeviceAllow"
)


def _add_directive(section: dict[str, object], key: str, value: str) -> None:
    known = section.get(key)
    if key == "Environment":
        section.update({f"{key} {word.partition('=')[0]}": word for word in shlex.split(value)})
    elif _WORDS.fullmatch(key):
        section[key] = [*(known if isinstance(known, list) else []), *value.split()]
    elif known is None:
        section[key] = value
    else:
        section[key] = [*(known if isinstance(known, list) else [known]), value]


def read_pairs(text: str) -> object:
    """Read `key=value` or `key value` lines; a repeated key keeps all its values."""
    found: dict[str, list[str]] = {}
    where = ""
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        if line.startswith("Match "):
            where = line
            continue
        pair = re.match(r"\s*(?:export\s+)?([^\s=#]+)(?:\s*=\s*|\s+|$)(.*)", line)
        if pair:
            value = re.sub(r"\s+#.*", "", pair[2]).strip()
            found.setdefault(where + pair[1], []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def read_nginx(text: str) -> object:
    """Read directives written one a line."""
    found: dict[str, list[str]] = {}
    stack: list[str] = []
    for line in text.split("\n"):
        bare = re.sub(r"\s+#.*|^#.*", "", line).strip()
        if bare.endswith("{"):
            stack.append(bare[:-1].strip())
        elif bare == "}":
            stack.pop()
        elif bare:
            name, *words = bare.rstrip(";").split()
            if len(words) > 1 and re.search(r"_(?:header|param)$|^(?:set|include)$", name):
                name = f"{name} {words.pop(0)}"
            found.setdefault("/".join([*stack, name]), []).append(" ".join(words))
    if stack:
        raise ValueError("a brace is open")
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


READERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "json": json.loads,
    "ini": read_ini,
    "systemd": read_unit,
    "dotenv": read_pairs,
    "directives": read_pairs,
    "sshd": read_pairs,
    "nginx": read_nginx,
}


Settings = dict[tuple[str, ...], object]


def flatten(value: object, path: tuple[str, ...] = ()) -> Settings:
    """Return every setting by its path; rows by their name, words of lists as a set."""
    if isinstance(value, dict):
        found: Settings = {path: "a table"} if path else {}
        for key, inner in value.items():
            found.update(flatten(inner, (*path, str(key))))
        return found
    if isinstance(value, list):
        found = {}
        for inner in value:
            name = inner.get("name") if isinstance(inner, dict) else None
            found.update(
                flatten(inner, (*path, str(name))) if name else {(*path, repr(inner)): True}
            )
        return found
    return {path: repr(value)} if path else {}


def verdict(base: Settings, ours: Settings, theirs: Settings) -> str:
    """Return `conflict`, `none`, or `either` where honest judges may differ.

    They may where both sides changed one list: whether its words are a set, the program knows.
    They may as well where both changed one text: its lines may be merged.
    """
    sides = (base, ours, theirs)
    lists = {path[:-1] for side in sides for path, value in side.items() if value is True}
    mine, yours = (changed(base, side) for side in (ours, theirs))
    both = {path for path in mine & yours if ours.get(path) != theirs.get(path)}
    texts = {path for path in both if all(_is_text(side.get(path)) for side in sides)}
    if any(not _within(path, lists) for path in both - texts):
        return "conflict"
    if any(_beneath_removed(base, *pair, lists) for pair in ((ours, theirs), (theirs, ours))):
        return "conflict"
    shared = {_owner(path, lists) for path in mine} & {_owner(path, lists) for path in yours}
    return "either" if shared & lists or texts else "none"


def _is_text(shown: object) -> bool:
    return isinstance(shown, str) and shown.count("\\n") >= 2


def changed(base: Settings, side: Settings) -> set[tuple[str, ...]]:
    """Return the paths whose setting differs."""
    return {path for path in {*base, *side} if base.get(path) != side.get(path)}


def _within(path: tuple[str, ...], lists: set[tuple[str, ...]]) -> bool:
    return path in lists or path[:-1] in lists


def _owner(path: tuple[str, ...], lists: set[tuple[str, ...]]) -> tuple[str, ...]:
    return path[:-1] if path[:-1] in lists else path


def _beneath_removed(
    base: Settings, one: Settings, other: Settings, lists: set[tuple[str, ...]]
) -> bool:
    """Return whether one side added something inside what the other removed."""
    gone = {path for path in base if path not in other and path not in lists}
    added = [path for path in one if path not in base]
    return any(path[:size] in gone for path in added for size in range(1, len(path)))
