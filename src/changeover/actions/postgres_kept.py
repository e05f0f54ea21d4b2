"""The backups of a database that a host keeps."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from changeover.errors import ActionFailed, NoWayBack
from changeover.hosts.host import Host
from changeover.tools.pg_dump import digest_of, manifests
from changeover.tools.psql import parse_lines


@dataclass(frozen=True)
class Backup:
    """A backup as its manifest describes it."""

    id: str
    folder: str
    database: str
    digest: str
    kib: int
    version: int
    """Of the server it came from, such as 150018."""
    snapshot: str
    """The transactions it holds, as PostgreSQL writes a snapshot."""
    made_at: str
    tables: int
    rows: int
    key: str
    """The run, step and attempt that made it."""
    verified: str = ""
    """`scratch`: restored and compared; `archive`: read to its end; empty: not proven."""

    @property
    def path(self) -> str:
        """Where the dump is: a file, or a folder."""
        return f"{self.folder}/{self.id}.dump"

    @property
    def label(self) -> str:
        """Return what people want to know of it."""
        proof = {"scratch": "verified", "archive": "read to its end"}.get(self.verified, "unproven")
        return f"{self.id} ({self.tables} tables, {self.rows} rows, {proof})"


def folder_of(host: Host, name: str) -> str:
    """Return the folder of the backups of this name."""
    plain = re.sub(r"[^\w.-]|^\.+", "_", name, flags=re.A)
    if plain != name:
        plain += "-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{host.state_dir}/backups/{plain}"


def kept(host: Host, folder: str) -> list[Backup]:
    """Return the backups of a folder, oldest first."""
    found = parse_lines(host.do(manifests(folder)))
    return sorted((Backup(**entry) for entry in found), key=lambda backup: backup.id)


def latest(host: Host, name: str) -> Backup:
    """Return the latest verified backup of this name; raise `ActionFailed` where there is none."""
    proven = [backup for backup in kept(host, folder_of(host, name)) if backup.verified]
    if not proven:
        raise ActionFailed(
            f"{host.name}: no verified backup called {name!r} in {host.state_dir}/backups",
            "Put a step `use: postgres.backup` before this one, or write `backup: none`.",
        )
    return proven[-1]


def chosen(host: Host, folder: str, backup: str) -> Backup:
    """Return one backup, its dump proven unchanged; raise `NoWayBack` where that fails."""
    known = kept(host, folder)
    found = [b for b in known if b.id == backup]
    if not found:
        there = ", ".join(b.label for b in known[-5:]) or "none"
        raise NoWayBack(
            f"{host.name}: backup {backup} is not in {folder}",
            f"There: {there}. Bring it back from where it was moved, or name another.",
        )
    done = host.ask(digest_of(folder, backup))
    if done.stdout.split(" ")[0] != found[0].digest:
        raise NoWayBack(
            f"{host.name}: {found[0].path}: is not what was backed up: its digest differs",
            "Bring the file back from a copy, or go forward: changeover resume",
        )
    return found[0]
