"""What a shadow cannot know: whether an earlier step brings something that is missing now.

A step that installs packages or runs a command may create programs, users and folders nobody can
foretell. It leaves a mark on the shadow, and what would be a failure without it is a warning.
"""

from __future__ import annotations

from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, warned

MARK = "unforeseen"
"""Name of a file in the state folder of a shadow. It is never written to a real host."""


def leave_open(shadow: Host) -> None:
    """Note on a shadow that this step may bring things nobody can foretell."""
    shadow.write(_mark(shadow), b"", mode=0o600)


def is_open(host: Host) -> bool:
    """Say whether an earlier step may bring what is missing. Always false on a real host."""
    return host.look(_mark(host)).there


def missing(host: Host, message: str, remedy: str) -> Finding:
    """Report that something is not there: a failure, unless an earlier step may bring it."""
    if is_open(host):
        return warned(f"{message} (an earlier step may bring it)", remedy)
    return failed(message, remedy)


def _mark(host: Host) -> str:
    return f"{host.state_dir}/{MARK}"
