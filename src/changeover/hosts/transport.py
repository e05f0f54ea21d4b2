"""The transport of real hosts: everything is asked of one shell that is kept open."""

from __future__ import annotations

from changeover.hosts.files import Files
from changeover.hosts.leases import Leases
from changeover.hosts.once import Runs


class ShellTransport(Files, Runs, Leases):
    """A host behind a shell: commands, files, what must happen once, the lease, the journal."""
