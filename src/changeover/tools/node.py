"""Commands of Node and npm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from changeover.hosts.command import Command, command, shell
from changeover.tools.tree import SHARED

# What tools of a build keep among the modules is written into: each folder has its own.
_COPY = (
    SHARED
    + """
shared "$1" "$2"; rm -rf -- "$2/.changeover-stamp" "$2/.cache" "$2/.vite" "$2/.vite-temp"
"""
)

# A Node that npm brought knows its own authorities alone, Debian's those of the host.
TRUSTING = {"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}


def install(npm: str, folder: str, *, scripts: bool) -> Command:
    """Install exactly what the lock file says; a lock file that does not fit is an error."""
    quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--no-update-notifier")
    words = (npm, "ci", *quiet, *(() if scripts else ("--ignore-scripts",)))
    return replace(command(*words, cwd=folder), env=TRUSTING)


def copy(original: str, modules: str) -> Command:
    """Take over the modules of another folder: their files are shared as hard links."""
    return shell(_COPY, original, modules)


def run(npm: str, folder: str, script: str, env: Mapping[str, str]) -> Command:
    """Run a script of package.json."""
    return replace(command(npm, "run", "--silent", script, cwd=folder), env=env)


def version(program: str) -> Command:
    """Ask node or npm for its version."""
    return command(program, "--version")
