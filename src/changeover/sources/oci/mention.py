"""Where files name images: Compose files, Kubernetes manifests, plain lists, releases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from changeover.sources.oci.mention_text import Mention, parsed, read_text

_YAML = (".yaml", ".yml", ".json")


def mentions(path: Path, environ: Mapping[str, str] | None = None) -> list[Mention]:
    """Return the images a file or a folder names, each place once.

    A folder is a release, of which the `images:` count if it has any, or a set of manifests: all
    YAML files in it are read. Raises `BadReference` for what cannot be read, is no YAML, or names
    an image wrongly.
    """
    if not path.is_dir() and path.suffix not in _YAML:
        return _in_list(path)
    # Only here: a copy of a plain list is over before YAML is imported.
    from changeover.sources.oci.mention_yaml import (  # noqa: PLC0415 - slow
        folder_mentions,
        yaml_mentions,
    )

    return (folder_mentions if path.is_dir() else yaml_mentions)(path, environ or {})


def _in_list(file: Path) -> list[Mention]:
    found = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        written = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if written:
            found.append(Mention(file, number, written, parsed(written, file, number, 1)))
    return found
