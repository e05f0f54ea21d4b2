"""Room on file systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from changeover.actions.paths import demand_absolute
from changeover.actions.question import NotSo, Question
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.tools import disk

GIB = 1024**3


@dataclass(frozen=True)
class Free(Question):
    """Make sure that a file system has room, in bytes and in files."""

    name: ClassVar[str] = "disk.free"

    path: str
    """A path on the file system; it need not be there yet."""
    gib: float
    """GiB that must be free for the user who will write."""
    files: int = 1000
    """Files that must still fit (inodes)."""

    def __post_init__(self) -> None:
        demand_absolute(self.name, path=self.path)

    def wanted(self) -> str:
        """Say what must be so."""
        return f"{self.path} has {self.gib:g} GiB free"

    def remedy(self) -> str:
        """Say what to do."""
        return f"Make room on the file system of {self.path}, or enlarge it."

    def ask(self, host: Host) -> None:
        """Look once."""
        done = host.ask(disk.free(self.path))
        if not done.ok:
            raise ActionFailed(f"{host.name}: {self.path}: {done.stderr.strip()}")
        free, files = disk.parse_free(done.stdout)
        if free < self.gib * GIB:
            raise NotSo(f"{free / GIB:.2f} GiB are free")
        # Some file systems count no files at all.
        if files is not None and files < self.files:
            raise NotSo(f"only {files} more files fit")
