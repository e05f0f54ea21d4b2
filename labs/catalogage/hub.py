"""A hub of the lab's own: the guide, and a later one that came with a renamed setting."""

import shutil
from pathlib import Path

import yaml

from labs.catalogage.edits import KEY, NEW_KEY
from labs.catalogage.layout import HERE

GUIDE = HERE.parents[1] / "guides" / "catalogage" / "2023.7"
LATER = "2023.8"
"""The guide that came with release 1.3.0."""


def publish(hub: Path) -> Path:
    """Put the guide into a hub; gives the hub."""
    shutil.copytree(GUIDE, hub / "catalogage" / GUIDE.name, dirs_exist_ok=True)
    return hub


def publish_later(hub: Path) -> Path:
    """Put a guide beside it whose `.env` calls a setting otherwise, and says so."""
    folder = hub / "catalogage" / LATER
    shutil.copytree(GUIDE, folder, dirs_exist_ok=True)
    env = folder / "files" / "env.j2"
    env.write_text(env.read_text().replace(KEY, NEW_KEY))
    manifest = folder / "release.yaml"
    text = manifest.read_text().replace(f'version: "{GUIDE.name}"', f'version: "{LATER}"')
    told = f"  env:\n    renamed: {{{KEY}: {NEW_KEY}}}\n"
    manifest.write_text(text.replace("configs:\n  env:\n", f"configs:\n{told}"))
    assert yaml.safe_load(manifest.read_text())["configs"]["env"]["renamed"] == {KEY: NEW_KEY}
    return folder
