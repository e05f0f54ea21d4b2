"""Scripts for the POSIX shell that nobody can read in the list of processes."""

from __future__ import annotations

from changeover.hosts.command import Command


def script_command(script: str, stdin: bytes = b"") -> Command:
    """Run a script under `sh -eu`; it arrives on standard input, in front of what it may read."""
    # `$(...)` would eat the script's last line ends; they mean nothing to a shell.
    taken = 'script=$(head -c "$1"); eval "$script"'
    text = script.encode()
    lines = len(script.strip().splitlines())
    label = f"script of {lines} line{'s' * (lines != 1)}"
    return Command(("sh", "-euc", taken, "sh", str(len(text))), text + stdin, label=label)
