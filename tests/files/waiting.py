"""Files of the operator beside which a package left the vendor's."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from changeover.cli.main import changeover

BASE = "[shop]\nport = 80\nworkers = 2\n"
OURS = "[shop]\nport = 80\nworkers = 16\npassword = hunter2hunter2\n"
THEIRS = "[shop]\nport = 8000\nworkers = 2\n"


def leave(etc: Path, name: str, ours: str, ending: str, theirs: str) -> None:
    (etc / name).write_text(ours)
    (etc / (name + ending)).write_text(theirs)


def call(*words: object, keys: str = "") -> Result:
    return CliRunner().invoke(changeover, ["files", "pending", *map(str, words)], input=keys)


SETTLED = ("--answer", "shop.port=theirs", "--answer", "shop.workers=ours")
