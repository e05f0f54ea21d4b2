"""Starts and stops the platform: `python -m labs.catalogage.lab --help`."""

import argparse
import sys
import time
from pathlib import Path

from tests.servers.program import NotStarted

from labs.catalogage.local import LocalLab

FOLDER = Path(".lab/catalogage")


def main() -> int:
    """Carry out one word; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("word", choices=["start", "stop", "resume", "reset", "status", "remove"])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    lab = LocalLab(given.folder.resolve())
    try:
        return _status(lab) if given.word == "status" else _carry_out(lab, given.word)
    except (NotStarted, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _carry_out(lab: LocalLab, word: str) -> int:
    began = time.monotonic()
    getattr(lab, word)()
    if word in ("start", "resume", "reset"):
        print(f"{lab.layout.client_url}/  (authority: {lab.authority})")
    print(f"{word}: {time.monotonic() - began:.1f} s")
    return 0


def _status(lab: LocalLab) -> int:
    if not lab.running:
        print("not running")
        return 1
    print(lab.supervisord.control("status").stdout.rstrip())
    print(f"{lab.layout.client_url}/  {lab.site.health()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
