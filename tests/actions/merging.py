"""A file in TOML, edited here and changed by the vendor, and the action that merges it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from changeover.actions.builtin import build
from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_sides import coming_path, new_path
from changeover.bases.record import record_base
from changeover.hosts.host import Host

BASE = "# The port.\nport = 80\nworkers = 2\n\n[log]\nlevel = 'info'\n"
EDITED = "# The port.\nport = 8080\nworkers = 2\n\n[log]\nlevel = 'info'\nfile = '/var/log/app'\n"
REFERENCE = "# The port.\nport = 80\nworkers = 4\ntimeout = 30\n\n[log]\nlevel = 'info'\n"
MERGED = (
    "# The port.\nport = 8080\nworkers = 4\ntimeout = 30\n\n[log]\nlevel = 'info'\n"
    "file = '/var/log/app'\n"
)


def edited(folder: Path, host: Host) -> Path:
    """Write an edited file whose reference was recorded by an earlier run."""
    file = folder / "app.toml"
    file.write_text(EDITED)
    record_base(host, str(file), BASE.encode())
    return file


def merging(path: Path, content: str = REFERENCE, **params: Any) -> dict[str, Any]:
    return {"path": str(path), "content": content, **params}


def leftovers(path: Path, host: Host) -> list[str]:
    found = [
        p for p in (coming_path(host, str(path)), new_path(host, str(path))) if host.look(p).there
    ]
    return [*found, *(p.name for p in path.parent.iterdir() if p.name.startswith("."))]


def build_merge(params: dict[str, Any]) -> Merge:
    action = build("files.merge", params)
    assert isinstance(action, Merge)
    return action
