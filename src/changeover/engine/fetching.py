"""Bringing a host's last backup to the operator's machine, piece by piece, proven by its digest."""

from __future__ import annotations

import base64
import hashlib
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


def fetch_backup(host: Host, name: str, folder: Path) -> Path:
    """Bring the newest backup of a name into a folder as a tar archive, mode 0600."""
    done = host.ask(shell(_PACK, host.state_dir, name), timeout=LIMIT)
    if not done.ok:
        raise NotReady(f"{host.name}: has no backup called {name}", "changeover run last-backup")
    words = done.stdout.split()
    backup, size, digest = words[0], int(words[1]), words[2]
    packed = f"{host.state_dir}/{name}.tar"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{host.name}-{backup}.tar"
    half = target.with_suffix(".half")
    seen = hashlib.sha256()
    with half.open("wb") as file:
        half.chmod(0o600)
        for number in range(-(-size // PIECE)):
            piece = _piece(host, packed, number)
            seen.update(piece)
            file.write(piece)
    host.do(command("rm", "-f", "--", packed))
    if seen.hexdigest() != digest:
        half.unlink()
        raise ActionFailed(f"{target}: did not arrive as it is on {host.name}", "Try again.")
    return half.replace(target)


def _piece(host: Host, path: str, number: int) -> bytes:
    script = 'dd if="$1" bs="$2" skip="$3" count=1 2>/dev/null | base64 -w 0'
    told = host.do(shell(script, path, str(PIECE), str(number)), timeout=LIMIT)
    return base64.b64decode(told)
