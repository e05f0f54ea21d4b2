"""The reference a file was last merged with, kept on its host: the next merge's base."""

from __future__ import annotations

import hashlib

from changeover.bases.base import Base
from changeover.hosts.host import Host

RECORDED = "the reference an earlier merge used"
"""Where such a base comes from, for people."""


def record_path(host: Host, path: str) -> str:
    """Return where the record of a file is kept on its host."""
    return f"{host.state_dir}/bases/{hashlib.sha256(path.encode()).hexdigest()}"


def recorded_base(host: Host, path: str) -> Base | None:
    """Return the reference an earlier run merged a file with, if one did."""
    text = host.read(record_path(host, path))
    return None if text is None else Base(text, RECORDED)


def record_base(host: Host, path: str, text: bytes) -> None:
    """Keep a reference for the next merge; only root may read it, as it may hold secrets."""
    host.make_folder(f"{host.state_dir}/bases", mode=0o700)
    host.write(record_path(host, path), text, mode=0o600)
