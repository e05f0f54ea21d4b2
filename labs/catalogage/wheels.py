"""The wheels the stand-in platform needs, downloaded once per machine and Python version."""

import os
import subprocess
import sys
from pathlib import Path

from labs.catalogage.layout import HERE

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "changeover-lab"
REQUIREMENTS = HERE / "releases" / "1.0.0" / "requirements.txt"


def wheels(python: str = "") -> Path:
    """A folder with every wheel for a Python version such as `3.11`."""
    version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = CACHE / "wheels" / version
    listed = folder / "requirements.txt"
    if not listed.exists() or listed.read_bytes() != REQUIREMENTS.read_bytes():
        words = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
        words += ["--disable-pip-version-check", "--python-version", version]
        subprocess.run([*words, "-d", str(folder), "-r", str(REQUIREMENTS)], check=True)
        listed.write_bytes(REQUIREMENTS.read_bytes())
    return folder
