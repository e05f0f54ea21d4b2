"""Read the installed version from the hosts; it is never only remembered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from changeover.errors import InvalidRelease
from changeover.hosts.command import Command, command
from changeover.hosts.host import Host


def question_for(probe: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Return the question `{use, with}` for an install method; empty where there is none."""
    by_method = probe.get("by_method")
    return dict(by_method.get(method, {}) if isinstance(by_method, Mapping) else probe)


def read_version(host: Host, question: Mapping[str, Any]) -> str:
    """Ask a host what is installed; empty where nothing is."""
    params = dict(question.get("with", {}))
    said = _ASK[str(question["use"])](host, params).strip()
    pattern = params.get("pattern")
    if not pattern:
        return said.splitlines()[0].strip() if said else ""
    found = re.search(str(pattern), said, re.MULTILINE)
    if not found:
        return ""
    # A group that took no part has found nothing.
    return (found.group(1) or "") if found.groups() else found.group(0)


def marker(host: Host) -> str:
    """Return the file in which a product without a probe keeps its version on a host."""
    return f"{host.state_dir}/installed"


def read_marker(host: Host) -> str:
    """Return what the marker says; empty where there is none."""
    return (host.read(marker(host)) or b"").decode(errors="replace").strip()


def write_marker(host: Host, version: str) -> None:
    """Set the marker, or remove it where nothing is installed any more."""
    if version:
        host.write(marker(host), f"{version}\n".encode(), mode=0o600)
    else:
        host.remove(marker(host))


def _command(host: Host, params: Mapping[str, Any]) -> str:
    words: Sequence[str] = params["words"]
    return _said(host, command(*map(str, words), user=str(params.get("user", ""))))


def _file(host: Host, params: Mapping[str, Any]) -> str:
    path = str(params["path"])
    if not path.startswith("/"):
        raise InvalidRelease(f"probe: {path}: must be a whole path", "begin it with /")
    return (host.read(path) or b"").decode(errors="replace")


def _git(host: Host, params: Mapping[str, Any]) -> str:
    folder = str(params["folder"])
    # The folder belongs to the service's user, whoever asks.
    safe = ("git", "-c", "safe.directory=*", "-C", folder, "rev-parse", "HEAD")
    return _said(host, command(*safe))


def _package(host: Host, params: Mapping[str, Any]) -> str:
    form = "--showformat=${db:Status-Status} ${Version}"
    said = _said(host, command("dpkg-query", "--show", form, str(params["name"])))
    status, _, version = said.partition(" ")
    return version.strip() if status == "installed" else ""


def _said(host: Host, asked: Command) -> str:
    done = host.ask(asked)
    return done.stdout if done.ok else ""


_ASK: Mapping[str, Callable[[Host, Mapping[str, Any]], str]] = {
    "command": _command,
    "file": _file,
    "git": _git,
    "package": _package,
}
