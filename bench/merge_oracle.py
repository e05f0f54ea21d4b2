"""Reads settings with parsers that are not the product's: the judge of the merge benchmark."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable

import yaml


def read_ini(text: str) -> object:
    """Read INI with the standard library."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] - keys keep their case
    parser.read_string("[-]\n" + text)
    return {name: dict(parser[name]) for name in parser.sections()}


def read_pairs(text: str) -> object:
    """Read `key=value` or `key value` lines; a repeated key keeps all its values."""
    found: dict[str, object] = {}
    where = ""
    for line in text.split("\n"):
        if line.startswith("Match "):
            where = line
            continue
        pair = re.match(r"\s*(?:export\s+)?([^\s=#]+)(?:\s*=\s*|\s+|$)(.*)", line)
        if pair:
            known = found.get(where + pair[1])
            value = pair[2].strip()
            found[where + pair[1]] = value if known is None else f"{known}\n{value}"
    return found


def read_nginx(text: str) -> object:
    """Read directives written one a line."""
    found: dict[str, str] = {}
    stack: list[str] = []
    for line in text.split("\n"):
        bare = re.sub(r"\s+#.*|^#.*", "", line).strip()
        if bare.endswith("{"):
            stack.append(bare[:-1].strip())
        elif bare == "}":
            stack.pop()
        elif bare:
            name, _, value = bare.rstrip(";").partition(" ")
            found["/".join([*stack, name])] = value.strip()
    if stack:
        raise ValueError("a brace is open")
    return found


READERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "json": json.loads,
    "ini": read_ini,
    "systemd": read_ini,
    "dotenv": read_pairs,
    "directives": read_pairs,
    "sshd": read_pairs,
    "nginx": read_nginx,
}


def flatten(value: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], object]:
    """Return every setting by its path; rows by their name, words of lists as a set."""
    if isinstance(value, dict):
        found: dict[tuple[str, ...], object] = {}
        for key, inner in value.items():
            found.update(flatten(inner, (*path, str(key))))
        return found
    if isinstance(value, list):
        found = {}
        for inner in value:
            if isinstance(inner, dict) and "name" in inner:
                found.update(flatten(inner, (*path, str(inner["name"]))))
            else:
                found[(*path, repr(inner))] = True
        return found
    return {path: repr(value)}
