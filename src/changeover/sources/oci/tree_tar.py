"""Files in one tar, found by its headers and read in place by any number of threads."""

from __future__ import annotations

import os
import tarfile
import threading
from pathlib import Path, PurePosixPath

from changeover.sources.oci.fault import Corrupt, Missing, Unsupported
from changeover.sources.oci.tree import FileStream
from changeover.sources.oci.tree_packed import compression, unpacked

MOST_MEMBERS = 30_000
"""Files an archive may have: a thousand images have about half of that."""


class TarTree:
    """A tar; a compressed one is unpacked once, into a file that is gone with this program."""

    def __init__(self, file: Path) -> None:
        self.file, self.place = file, str(file)
        self._lock = threading.Lock()
        self._members: dict[str, tuple[int, int]] | None = None
        self.links: dict[str, str] = {}
        """Links inside the archive, by path; older `docker save` has them between layers."""
        self._descriptor = -1

    def size(self, path: str) -> int | None:
        """Return a member's size; none where it is not."""
        found = self.members().get(path)
        return found[1] if found else None

    def open(self, path: str, offset: int = 0) -> FileStream:
        """Open a member at an offset; raises `Missing`."""
        found = self.members().get(path)
        if found is None:
            raise Missing(f"{self.place}: {path}: not there", "check the archive")
        start, size = found
        return FileStream(self._descriptor, start + offset, start + size, own=False)

    def members(self) -> dict[str, tuple[int, int]]:
        """Return offset and size of every file in it; raises `Unsupported`, `Corrupt`."""
        with self._lock:
            if self._members is None:
                self._members = self._listed()
            return self._members

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _listed(self) -> dict[str, tuple[int, int]]:
        try:
            self._descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as e:
            raise Missing(f"{self.place}: {e.strerror}", "check the path") from None
        kind = compression(os.pread(self._descriptor, 6, 0))
        if kind:
            packed, self._descriptor = self._descriptor, -1
            self._descriptor = unpacked(packed, kind, self.place)
        try:
            return self._read()
        except (tarfile.TarError, OSError, ValueError, EOFError) as e:
            raise Corrupt(f"{self.place}: not a whole tar: {e}", "fetch it again") from None

    def _read(self) -> dict[str, tuple[int, int]]:
        end = os.fstat(self._descriptor).st_size
        members: dict[str, tuple[int, int]] = {}
        own = os.fdopen(os.dup(self._descriptor), "rb")
        own.seek(0)
        with own, tarfile.open(fileobj=own, mode="r:") as archive:
            for count, member in enumerate(archive):
                if count >= MOST_MEMBERS:
                    raise Unsupported(
                        f"{self.place}: more than {MOST_MEMBERS} files in it",
                        "unpack it, and name the folder: oci:FOLDER",
                    )
                path = str(PurePosixPath(member.name))
                if member.issym() or member.islnk():
                    # A hard link's name begins at the root of the archive, not beside the link.
                    self.links[path] = "/" * member.islnk() + member.linkname
                if not member.isreg() or member.sparse is not None:
                    continue
                if path in members:
                    raise Corrupt(f"{self.place}: {path}: twice in it", "fetch it again")
                if member.offset_data + member.size > end:
                    raise Corrupt(f"{self.place}: {path}: cut off", "fetch it again")
                members[path] = (member.offset_data, member.size)
        return members
