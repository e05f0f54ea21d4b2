"""Series of references: written ones in every format, and the files of Debian packages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from tests.merge.documents import Entry, Maker, write

from bench.merge_oracle import READERS

NAMES = {
    "yaml": "x.yaml",
    "toml": "x.toml",
    "json": "x.json",
    "ini": "x.ini",
    "nginx": "nginx.conf",
    "systemd": "x.service",
    "dotenv": ".env",
    "directives": "x.conf",
    "sshd": "sshd_config",
}
_STEPS = 9
_VALUE = re.compile(
    r"^(?P<head>\s*(?:- )?[\w.\"/-]+(?:\s*[=:]\s*|\s+)\"?)(?P<value>[\w./-]+)(?P<tail>[^\n]*)$"
)


@dataclass(frozen=True)
class Reference:
    """One release's reference of one file."""

    name: str
    form: str
    text: str


def written_series(seed: int) -> list[list[Reference]]:
    """Write series of references with moves, renames, re-indentation and comments."""
    series = []
    for form in READERS:
        for number in range(4):
            depth = {"yaml": 2, "toml": 2, "json": 2, "nginx": 2}.get(form, 1)
            depth = 0 if form in ("dotenv", "directives") else depth
            tables = form in ("yaml", "toml", "json")
            maker = Maker(seed * 100 + number, depth=depth, tables=tables)
            document = maker.document()
            steps = []
            for _ in range(_STEPS):
                steps.append(Reference(NAMES[form], form, write(document, form)))
                document = maker.edited(document, maker.random.randrange(2, 8))
                _move(document, maker.random)
            series.append(steps)
    return series


def _move(document: Entry, random: Random) -> None:
    """Swap two neighbouring settings now and then."""
    places = [
        place for place, pair in enumerate(pairwise(document.children))
        if all(entry.kind == "setting" for entry in pair)
    ]  # fmt: skip
    if places and random.random() < 0.4:
        place = random.choice(places)
        first, second = document.children[place : place + 2]
        document.children[place : place + 2] = [second, first]


def local_edits(reference: Reference, random: Random, count: int) -> str | None:
    """Return the reference with edits an operator might make; None where it no longer parses."""
    lines = reference.text.split("\n")
    for _ in range(count):
        _edit(lines, random)
    text = "\n".join(lines)
    try:
        READERS[reference.form](text)
    except Exception:  # noqa: BLE001 - an edit that breaks the file is no question
        return None
    return text


def _is_setting(line: str) -> bool:
    plain = not line.lstrip().startswith("#") and "name" not in line and not line.endswith("{")
    return bool(plain and not line.startswith("Match") and _VALUE.match(line))


def _edit(lines: list[str], random: Random) -> None:
    settings = [place for place, line in enumerate(lines) if _is_setting(line)]
    if not settings:
        return
    place = random.choice(settings)
    found = _VALUE.match(lines[place])
    choice = random.random()
    if choice < 0.6 and found:
        lines[place] = f"{found['head']}local{random.randrange(1000)}{found['tail']}"
    elif choice < 0.75:
        del lines[place]
    elif choice < 0.9 and found and not found["tail"].endswith(("{", ":")):
        key = re.sub(
            r"[\w-]+(?=[\"\s=:])", f"local{random.randrange(1000)}", found["head"], count=1
        )
        lines.insert(place + 1, f"{key}{found['value']}{found['tail']}")
    else:
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines.insert(place, f"{indent}# local note {random.randrange(1000)}")
