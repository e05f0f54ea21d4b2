"""Commands of Python's venv and pip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from changeover.hosts.command import Command, command, shell
from changeover.tools.tree import SHARED

_IMPORT = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
# An environment knows its own path: in the first lines of its programs, and in few other files.
# Each is replaced, never written into, because the original shares it.
_MOVED = """
import glob, os, sys
old, new = (os.fsencode(path) for path in sys.argv[1:])
at = os.fsdecode(new)
for path in [*glob.glob(at + "/bin/*"), at + "/pyvenv.cfg", *glob.glob(at + "/lib/*/*/*.pth")]:
    if os.path.islink(path) or not os.path.isfile(path):
        continue
    with open(path, "rb") as file:
        content = file.read()
    if old in content:
        with open(path + ".new", "wb") as file:
            file.write(content.replace(old, new))
        os.chmod(path + ".new", os.stat(path).st_mode)
        os.replace(path + ".new", path)
"""
_COPY = (
    SHARED
    + """
shared "$1" "$2"; rm -f -- "$2/.changeover-stamp"; "$2/bin/python" -I -c "$3" "$1" "$2"
"""
)
_NESTED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """Where pip takes packages from."""

    find_links: str = ""
    no_index: bool = False
    constraints: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """The options of pip that say so."""
        words = ["--no-index"] if self.no_index else []
        words += ["--find-links", self.find_links] if self.find_links else []
        return words + [word for file in self.constraints for word in ("-c", file)]


def create(python: str, folder: str) -> Command:
    """Make an environment from nothing."""
    return shell('mkdir -p -- "${2%/*}"; exec "$1" -m venv --clear "$2"', python, folder)


def copy(original: str, folder: str) -> Command:
    """Make an environment from one made of the same things: its files are shared as hard links."""
    return shell(_COPY, original, folder, _MOVED)


def install(
    folder: str, requirements: Sequence[str], packages: Sequence[str], source: Source
) -> Command:
    """Install requirement files and packages into an environment."""
    words = [f"{folder}/bin/python", "-m", "pip", "install", "--no-input", "-q"]
    words += ["--disable-pip-version-check", *source.words]
    words += [word for file in requirements for word in ("-r", file)]
    return command(*words, *packages)


def import_modules(folder: str, modules: Sequence[str], cwd: str) -> Command:
    """Import modules with the environment's Python, as the application would."""
    return command(f"{folder}/bin/python", "-c", _IMPORT, *modules, cwd=cwd)


def nested(requirements: str) -> list[str]:
    """Return the files a requirements file includes, as it names them."""
    return _NESTED.findall(requirements)


def version(python: str) -> Command:
    """Ask a Python for its version."""
    return command(python, "--version")
