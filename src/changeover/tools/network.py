"""Ports of a host, read from the kernel's own tables: no program has to be installed for it."""

from __future__ import annotations

from collections.abc import Iterator

from changeover.hosts.command import Command, command, shell

LISTEN, ESTABLISHED = "0A", "01"


def sockets() -> Command:
    """Read the tables of TCP sockets."""
    return shell("cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true")


def count(output: str, port: int, state: str) -> int:
    """Count the sockets on a local port that are in a state."""
    return sum(local == port and told == state for local, told in _rows(output))


def connect(address: str, port: int) -> Command:
    """Open a connection and close it: exit code 0 where somebody answers."""
    script = 'exec timeout 3 bash -c \'exec 3<>"/dev/tcp/$0/$1"\' "$1" "$2"'
    return shell(script, address, str(port))


def owners(port: int) -> Command:
    """Name the programs that listen on a port, as far as this user may see them."""
    return command("ss", "-Hltnp", f"sport = :{port}")


def parse_owners(output: str) -> set[str]:
    """Return the names of programs in what `owners` printed."""
    return {part.split('"')[1] for part in output.split("(") if part.startswith('"')}


def _rows(output: str) -> Iterator[tuple[int, str]]:
    for line in output.splitlines():
        words = line.split()
        if len(words) > 3 and words[0].endswith(":") and ":" in words[1]:
            yield int(words[1].rpartition(":")[2], 16), words[3]
