"""One tar with an OCI layout as a target: written from front to back, renamed when it is whole.

The same images give the same bytes, as long as one thread writes them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from dataclasses import replace
from pathlib import Path

from changeover.sources.oci.fault import ImageFault, Missing, NoSpace
from changeover.sources.oci.layout import LAYOUT_FILE, blob_path, joined, named
from changeover.sources.oci.media import REF_NAME, Descriptor, Manifest, index_body
from changeover.sources.oci.medium import Outcome
from changeover.sources.oci.passage import Passage, Stream
from changeover.sources.oci.reference import is_digest

_BLOCK = 512


class LayoutArchive:
    """A tar that blobs are appended to; `finish` makes it a layout, `drop` removes it."""

    pooled = True

    def __init__(self, file: Path) -> None:
        self.file, self.place = file, str(file)
        self._partial = file.with_name(f".{file.name}-{os.urandom(4).hex()}.partial")
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._manifests: dict[str, Manifest] = {}
        self._entries: list[Descriptor] = []
        self._annotations: dict[str, str] = {}
        self._end = 0
        self._descriptor = -1

    def prepare(self) -> None:
        """Begin the file."""
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
            self._descriptor = os.open(self._partial, flags, 0o644)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            self._append("oci-layout", LAYOUT_FILE.encode())
        except OSError as e:
            raise self._translated(e) from None

    def finish(self, annotations: dict[str, str] | None = None) -> None:
        """Write the index and give the file its name."""
        entries = sorted(self._entries, key=lambda d: (d.annotations.get(REF_NAME, ""), d.digest))
        try:
            self._append("index.json", index_body(tuple(entries), annotations or {}))
            os.pwrite(self._descriptor, bytes(2 * _BLOCK), self._end)
            os.fsync(self._descriptor)
            self._partial.replace(self.file)
        except OSError as e:
            raise self._translated(e) from None
        finally:
            self.drop()

    def drop(self) -> None:
        """Remove what is not finished."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._partial.unlink(missing_ok=True)

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return a manifest that was put here."""
        digest = self.resolve(name, wanted)
        if digest not in self._manifests:
            raise Missing(f"{self.place}: {joined(name, wanted)}: not there", "")
        return self._manifests[digest]

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest a name or digest has here; none where it is not."""
        if is_digest(wanted):
            return wanted if wanted in self._manifests else None
        called = joined(name, wanted)
        for entry in self._entries:
            if entry.annotations.get(REF_NAME) == called:
                return entry.digest
        return None

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size; none where it is not."""
        return self._sizes.get(digest)

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Refuse: what is being written is not read."""
        raise ImageFault(f"{self.place}: is being written", "verify it when it is whole")

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what was put here with this subject."""
        found = (m for m in self._manifests.values() if m.subject and m.subject.digest == digest)
        return tuple(m.descriptor for m in found)

    def tags(self, name: str) -> tuple[str, ...]:
        """Return nothing: it is new."""
        return ()

    def put_blob(self, name: str, blob: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Append a blob; a broken one is cut off again."""
        digest, size = blob.blob.digest, blob.blob.size
        with self._lock:
            start = self._end
            try:
                self._header(blob_path(digest), size)
                blob.move_to(0)
                if blob.left:
                    blob.pour(self._write, blob.left)
                self._pad(size)
            except OSError as e:
                self._cut(start)
                raise self._translated(e) from None
            except BaseException:
                self._cut(start)
                raise
            finally:
                blob.close()
            self._sizes[digest] = size
        return Outcome.SENT

    def put_manifest(self, name: str, wanted: str, manifest: Manifest) -> None:
        """Append a manifest, and remember its name for the index."""
        with self._lock:
            if manifest.digest not in self._manifests:
                try:
                    self._append(blob_path(manifest.digest), manifest.body)
                except OSError as e:
                    raise self._translated(e) from None
                self._manifests[manifest.digest] = manifest
            called = "" if is_digest(wanted) else joined(name, wanted)
            if called or manifest.subject:
                entry = replace(
                    manifest.descriptor, annotations={REF_NAME: called} if called else {}
                )
                self._entries = [e for e in self._entries if not named(e) or e != entry]
                self._entries.append(entry)

    def attach(self, name: str, manifest: Manifest) -> None:
        """Nothing to do: the index lists it."""

    def delete_blob(self, name: str, digest: str) -> bool:
        """Refuse: a tar only grows."""
        return False

    def delete_tag(self, name: str, tag: str) -> bool:
        """Refuse: a tar only grows."""
        return False

    def _append(self, path: str, content: bytes) -> None:
        self._header(path, len(content))
        self._write(memoryview(content))
        self._pad(len(content))

    def _header(self, path: str, size: int) -> None:
        import tarfile  # noqa: PLC0415 - slow, and most copies write no tar

        member = tarfile.TarInfo(path)
        member.size, member.mode = size, 0o644
        self._write(memoryview(member.tobuf(tarfile.GNU_FORMAT)))

    def _write(self, view: memoryview) -> None:
        while view:
            count = os.pwrite(self._descriptor, view, self._end)
            self._end += count
            view = view[count:]

    def _pad(self, size: int) -> None:
        self._write(memoryview(bytes(-size % _BLOCK)))

    def _cut(self, end: int) -> None:
        os.ftruncate(self._descriptor, end)
        self._end = end

    def _translated(self, fault: OSError) -> ImageFault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            return NoSpace(f"{self.place}: the disk is full", "make room and run again")
        return ImageFault(f"{self.place}: {fault.strerror}", "check the folder and your rights")
