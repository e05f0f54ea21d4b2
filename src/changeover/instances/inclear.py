"""Files that something must read as they are: encrypted, they would lock their reader out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from changeover.instances import agefile, decisions
from changeover.instances.ansible import config, recipe
from changeover.instances.ansible.password import CONVENTION
from changeover.instances.folder import ANSWERS, INSTANCE
from changeover.instances.place import ENDINGS, EXTRAS, INVENTORIES
from changeover.instances.sealed import password_files

_KEYS = {agefile.KEY, decisions.KEY, CONVENTION}
_READ = {
    INSTANCE: "the instance is read from it",
    ANSWERS: "remembered answers are read from it",
    recipe.MANIFEST: "a release is read from it",
    config.FILE: "Ansible is set up by it",
    agefile.RECIPIENTS: "it says for whom files are sealed",
    ".gitignore": "git reads it",
    **dict.fromkeys(EXTRAS, "the environment is read from it"),
    **{name + ending: "it is an inventory" for name in INVENTORIES for ending in ENDINGS},
}
_AGE_KEY = b"AGE-SECRET-KEY-"


def reader_of(path: Path, content: bytes, named: Sequence[str] = ()) -> str:
    """Say what reads a file as it is; empty where nothing is known to.

    `named` are words of `--vault-password-file`.
    """
    if path.name in _KEYS or _AGE_KEY in content or _is_password(path, named):
        return "it is a key: what it opens could not be opened any more"
    return _READ.get(path.name, "")


def _is_password(path: Path, named: Sequence[str]) -> bool:
    asked = path.resolve()
    return any(file.path.resolve() == asked for file in password_files(path.parent, named))
