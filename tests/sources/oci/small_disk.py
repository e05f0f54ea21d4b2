"""Disks of a few megabytes: a tmpfs that only the programs started on it see."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

_NAMESPACE = "-m" if os.geteuid() == 0 else "-Urm"


def refusal() -> str:
    """Return why there can be no such disks here, in most containers; empty where there can."""
    asked = subprocess.run(
        ["unshare", _NAMESPACE, "true"], capture_output=True, text=True, check=False
    )
    return asked.stderr.strip()


def on_small_disk(folder: Path, mebibytes: int, *commands: list[str]) -> list[str]:
    """Return a command that runs these one after the other, the last one in its own place.

    A namespace of its own has the disk, and both are gone with the program; nobody needs rights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    *before, last = commands
    lines = [shlex.join(mount), *map(shlex.join, before), f"exec {shlex.join(last)}"]
    return ["unshare", _NAMESPACE, "sh", "-ec", "\n".join(lines)]


def enlarged(folder: Path, mebibytes: int) -> list[str]:
    """Return a command that enlarges the disk, inside its namespace."""
    return ["mount", "-o", f"remount,size={mebibytes}m", str(folder)]
