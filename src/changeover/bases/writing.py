"""Writing a merged file: only over what was read, and never without keeping that."""

from __future__ import annotations

from changeover.errors import NotReady
from changeover.hosts.host import Host
from changeover.tools.replacing import real_path, replace_content


def write_merged(host: Host, path: str, content: bytes, *, over: bytes) -> str:
    """Replace a file's content, behind links; return where its original is kept.

    Raises `NotReady` where the file is not what was read (`over`) any more.
    """
    real = host.do(real_path(path)).rstrip("\n")
    if host.read(real) != over:
        raise NotReady(f"{host.name}:{path}: was changed since it was read", "merge it again")
    kept = host.keep(real)
    host.do(replace_content(real, content))
    return f"{host.state_dir}/store/{kept}"
