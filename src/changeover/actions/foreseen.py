"""What a shadow knows beyond files: what earlier steps would have done to services and packages.

A step lays a note over its shadow, and later steps are planned as if it had been carried out. One
kind of note says that nobody can tell: a step that installs packages or runs a command may bring
programs, users and folders. What would be a failure without it is a warning then. Notes are files
in a folder of the state directory that no real host ever has.
"""

from __future__ import annotations

from urllib.parse import quote

from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, warned

FOLDER = "foreseen"
ANYTHING = "anything"


def note(shadow: Host, fact: str, value: str) -> None:
    """Lay over a shadow what a fact will be."""
    shadow.write(_path(shadow, fact), value.encode(), mode=0o600)


def noted(host: Host, fact: str) -> str:
    """Return what an earlier step will have made of a fact; empty where none touches it."""
    return (host.read(_path(host, fact)) or b"").decode()


def leave_open(shadow: Host) -> None:
    """Note on a shadow that this step may bring things nobody can foretell."""
    note(shadow, ANYTHING, "may come")


def is_open(host: Host) -> bool:
    """Say whether an earlier step may bring what is missing. Always false on a real host."""
    return bool(noted(host, ANYTHING))


def missing(host: Host, message: str, remedy: str) -> Finding:
    """Report that something is not there: a failure, unless an earlier step may bring it."""
    if is_open(host):
        return warned(f"{message} (an earlier step may bring it)", remedy)
    return failed(message, remedy)


def _path(host: Host, fact: str) -> str:
    return f"{host.state_dir}/{FOLDER}/{quote(fact, safe='')}"
