"""Writing a merged file: only over what was read, never without keeping that and its new base."""

from __future__ import annotations

from changeover.bases.record import record_base
from changeover.errors import NotReady
from changeover.hosts.host import Host, digest
from changeover.tools.replacing import real_path, replace_content


def write_merged(host: Host, path: str, content: bytes, *, over: bytes, reference: bytes) -> str:
    """Replace a file's content, behind links; return where its original is kept.

    `reference` is what was merged into it: the base of the next merge.
    Raises `NotReady` where the file is not what was read (`over`) any more.
    """
    real = host.do(real_path(path)).rstrip("\n")
    # What is kept is what is compared: between two readings somebody may write.
    kept = host.keep(real)
    if kept != digest(over):
        raise NotReady(f"{host.name}:{path}: was changed since it was read", "merge it again")
    host.do(replace_content(real, content))
    # After the file: a base that is newer than its file would pass old settings off as edits.
    record_base(host, real, reference)
    return f"{host.state_dir}/store/{kept}"
