"""The room images take: at a registry, and on hosts that pull and unpack them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from changeover.hosts.host import Host
from changeover.model.findings import Finding, failed, passed
from changeover.sources.oci.media import Descriptor
from changeover.tools import disk

UNPACKED = 3
"""How many times larger a compressed layer is once unpacked; distributions' are 2.5 to 3."""


@dataclass(frozen=True)
class Room:
    """Bytes that images need."""

    target: int
    """At the registry: what it does not have yet."""
    hosts: int
    """On each host that pulls all of them, kept compressed as well as unpacked: an estimate."""


def room_for(moved: int, blobs: Iterable[Descriptor]) -> Room:
    """Return the room for blobs of which so many bytes move."""
    return Room(moved, sum(b.size + _unpacked(b) for b in blobs))


def room_findings(host: Host, folder: str, needed: int, what: str) -> Iterator[Finding]:
    """Tell whether the file system of a folder on a host has so much room."""
    done = host.ask(disk.free(folder))
    if not done.ok:
        yield failed(f"{host.name}: {folder}: {done.stderr.strip()}", "Correct the path.")
        return
    free, _ = disk.parse_free(done.stdout)
    said = f"{host.name}: {folder}: {shown(free)} free, {what} {shown(needed)}"
    if free < needed:
        yield failed(said, f"Make room on the file system of {folder}, or enlarge it.")
    else:
        yield passed(said)


def shown(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1024 or unit == "GiB":
            break
    return f"{count:.1f} {unit}"


def _unpacked(blob: Descriptor) -> int:
    if "layer" not in blob.media_type and "rootfs" not in blob.media_type:
        return 0
    packed = blob.media_type.endswith(("gzip", "zstd"))
    return blob.size * UNPACKED if packed else blob.size
