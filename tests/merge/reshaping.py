"""Random files that change shape: settings in tables, who edits them, and where they go.

Nothing here knows the package that is tested: files are written and read by the libraries of their
formats, and what has to come out is computed on plain dictionaries.
"""

from __future__ import annotations

import configparser
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import yaml

Path = tuple[str, ...]
Settings = dict[Path, str]


@dataclass(frozen=True)
class Story:
    """One file with its edits on both sides, and the parts it is divided into."""

    base: Settings
    ours: Settings
    theirs: Settings
    home: Mapping[Path, str]
    """The part each setting of the reference goes to."""

    @property
    def wanted(self) -> Settings:
        """What all parts have to say together."""
        here = {p: v for p, v in self.ours.items() if self.base.get(p) != v}
        gone = self.base.keys() - self.ours.keys()
        return {**{p: v for p, v in self.theirs.items() if p not in gone}, **here}

    def part(self, name: str) -> Settings:
        """Return the reference of a part."""
        return {path: value for path, value in self.theirs.items() if self.home[path] == name}


PARTS = ("one", "two", "three")


def story(seed: int, *, depth: int) -> Story:
    """Make a story whose sides never edit the same setting."""
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    paths = [
        (*(f"t{random.randrange(3)}" for _ in range(random.randrange(1, depth + 1))), f"k{number}")
        for number in range(random.randrange(6, 16))
    ]
    base = {path: f"v{random.randrange(100)}" for path in paths}
    home = {path: random.choice(PARTS) for path in paths}
    mine = set(random.sample(paths, len(paths) // 3))
    ours, theirs = dict(base), dict(base)
    for path in paths:
        if path in mine:
            _edit(ours, path, random)
        elif random.random() < 0.3:
            theirs[path] = f"new{random.randrange(100)}"
    # Where a side took the last setting out of a table, an addition to it would be a conflict.
    stay = [path for path in paths if base[path] == ours.get(path) == theirs.get(path)]
    for number in range(random.randrange(3) if stay else 0):
        beside = random.choice(stay)
        path = (*beside[:-1], f"new{number}")
        theirs[path], home[path] = "fresh", home[beside]
    for path in stay:
        kin = [one for one in stay if one[:-1] == path[:-1] and home[one] == home[path]]
        if len(kin) > 2 and path == kin[0]:
            del theirs[path]
    return Story(base, ours, theirs, home)


def _edit(settings: Settings, path: Path, random: Random) -> None:
    if random.random() < 0.25:
        del settings[path]
    else:
        settings[path] = f"edited{random.randrange(100)}"


def nested(settings: Settings) -> dict[str, object]:
    """Return settings as tables in each other."""
    whole: dict[str, object] = {}
    for path, value in settings.items():
        table = whole
        for word in path[:-1]:
            inner = table.setdefault(word, {})
            assert isinstance(inner, dict)
            table = inner
        table[path[-1]] = value
    return whole


def flat(value: object, path: Path = ()) -> Settings:
    """Return tables as settings; empty tables say nothing."""
    if isinstance(value, dict):
        found: Settings = {}
        for key, inner in value.items():
            found |= flat(inner, (*path, key))
        return found
    return {} if value is None else {path: str(value)}


def written(form: str, settings: Settings) -> bytes:
    """Write a file with the library of its format, or with ours where there is none."""
    whole = nested(settings)
    if form == "yaml":
        return yaml.safe_dump(whole, sort_keys=False).encode() if whole else b""
    if form == "json":
        return (json.dumps(whole, indent=2) + "\n").encode()
    return "".join(_tables(whole, (), form)).encode()


def _tables(table: Mapping[str, object], path: Path, form: str) -> list[str]:
    sign = " = " if form == "toml" else "="
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    head = [f"[{'.'.join(path)}]\n"] if path and plain else []
    quoted = '"' if form == "toml" else ""
    lines = head + [f"{key}{sign}{quoted}{value}{quoted}\n" for key, value in plain.items()]
    for key, inner in table.items():
        if isinstance(inner, dict):
            lines += _tables(inner, (*path, key), form)
    return lines


def read(form: str, content: bytes) -> Settings:
    """Read a file with the library of its format."""
    text = content.decode()
    if form == "yaml":
        return flat(yaml.safe_load(text) or {})
    if form == "json":
        return flat(json.loads(text or "{}"))
    if form == "toml":
        return flat(tomllib.loads(text))
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string(text)
    return {(name, key): value for name in parser.sections() for key, value in parser[name].items()}
