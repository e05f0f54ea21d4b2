"""Bringing a host's last backup to the operator's machine, piece by piece, proven by its digest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import ActionFailed, NotReady
from changeover.hosts.command import command, shell
from changeover.hosts.host import Host

PIECE = 4 * 1024 * 1024
"""Bytes asked for at once: what a command prints is held in memory."""
LIMIT = 600.0

# The newest backup is the one of the last manifest; its dump may be a file or a folder.
_PACK = """
cd "$1/backups/$2"; id=$(ls | sed -n 's/[.]json$//p' | tail -n 1); [ -n "$id" ]
umask 077; tar -cf "$1/$2.tar" -- "$id"*; printf '%s ' "$id"
stat -c %s "$1/$2.tar"; sha256sum < "$1/$2.tar"
"""


@dataclass(frozen=True)
class _Packed:
    """What a host says of the archive it made."""

    backup: str
    size: int
    digest: str


# A host tells the name: it must name one file beside the others, whatever the host has become.
_TOLD = re.compile(r"([A-Za-z0-9][\w.+:~-]*) (\d{1,15})\n([0-9a-f]{64}) .*\n", re.ASCII)


def fetch_backup(host: Host, name: str, folder: Path) -> Path:
    """Bring the newest backup of a name into a folder as a tar archive, mode 0600."""
    told = _pack(host, name)
    packed = f"{host.state_dir}/{name}.tar"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{host.name}-{told.backup}.tar"
    half = target.with_suffix(".half")
    seen = hashlib.sha256()
    # One that is left from a try that was killed, or a link, is not written through.
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        for number in range(-(-told.size // PIECE)):
            piece = _piece(host, packed, number)
            seen.update(piece)
            file.write(piece)
    host.do(command("rm", "-f", "--", packed))
    if seen.hexdigest() != told.digest:
        half.unlink()
        raise ActionFailed(f"{target}: did not arrive as it is on {host.name}", "Try again.")
    return half.replace(target)


def _pack(host: Host, name: str) -> _Packed:
    done = host.ask(shell(_PACK, host.state_dir, name), timeout=LIMIT)
    if not done.ok:
        raise NotReady(f"{host.name}: has no backup called {name}", "changeover run last-backup")
    told = _TOLD.fullmatch(done.stdout)
    if told is None:
        raise ActionFailed(
            f"{host.name}: told of no backup, but {done.stdout[:60]!r}", "Log in and look."
        )
    return _Packed(told[1], int(told[2]), told[3])


def _piece(host: Host, path: str, number: int) -> bytes:
    script = 'dd if="$1" bs="$2" skip="$3" count=1 2>/dev/null | base64 -w 0'
    told = host.do(shell(script, path, str(PIECE), str(number)), timeout=LIMIT)
    try:
        return base64.b64decode(told, validate=True)
    except binascii.Error:
        raise ActionFailed(f"{host.name}: {path}: not sent whole", "Try again.") from None
