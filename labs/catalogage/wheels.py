"""The wheels the stand-in platform needs, downloaded once per machine and Python version."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from labs.catalogage.layout import HERE

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "changeover-lab"
REQUIREMENTS = HERE / "releases" / "1.0.0" / "requirements.txt"


def wheels(python: str = "") -> Path:
    """A folder with every wheel for a Python version such as `3.11`."""
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / "wheels" / version
    listed = folder / "requirements.txt"
    wanted = "".join(f"{line}\n" for line in _required(version))
    if not listed.exists() or listed.read_text() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        asked = folder / "asked.txt"
        asked.write_text(wanted)
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
        words += ["--disable-pip-version-check", "--python-version", version]
        subprocess.run([*words, "-d", str(folder), "-r", str(asked)], check=True)
        asked.replace(listed)
    return folder


def _required(version: str) -> Iterator[str]:
    """Judge the markers for that Python: pip judges them for the one it runs on."""
    for line in REQUIREMENTS.read_text().splitlines():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"python_version": version}):
            yield f"{wanted.name}{wanted.specifier}"
