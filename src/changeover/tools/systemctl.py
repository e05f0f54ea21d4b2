"""Commands of systemctl, journalctl and systemd-analyze, and the meaning of their output."""

from __future__ import annotations

from changeover.hosts.command import Command, command

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "Type", "Result", "InvocationID", "NRestarts",
    "UnitFileState", "NeedDaemonReload", "ExecMainStatus",
)  # fmt: skip
CANNOT_BE_ENABLED = frozenset({"static", "indirect", "generated", "transient", "alias"})


def show(unit: str) -> Command:
    """Ask for the properties a unit is judged by."""
    return command("systemctl", "show", f"--property={','.join(PROPERTIES)}", "--", unit)


def parse_show(output: str) -> dict[str, str]:
    """Turn `Key=value` lines into a mapping."""
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def tell(verb: str, unit: str) -> Command:
    """Start, stop, restart, reload, enable or disable a unit; nobody is asked for a password."""
    return command("systemctl", "--no-ask-password", verb, "--", unit)


def daemon_reload() -> Command:
    """Have systemd read the unit files again."""
    return command("systemctl", "--no-ask-password", "daemon-reload")


def last_lines(unit: str, lines: int = 12) -> Command:
    """Read the end of a unit's journal."""
    return command("journalctl", "--no-pager", "-o", "cat", "-n", str(lines), "-u", unit)


def verify(path: str) -> Command:
    """Have a unit file read and judged without loading it."""
    return command("systemd-analyze", "verify", path)


def unit_paths(unit: str) -> tuple[str, ...]:
    """Return where the file of a unit may be."""
    name, _, kind = unit.rpartition(".")
    base, at, _ = name.partition("@")
    file = f"{base}@.{kind}" if at else unit
    folders = ("/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system")
    return tuple(f"{folder}/{file}" for folder in folders)
