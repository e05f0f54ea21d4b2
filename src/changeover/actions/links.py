"""Where a path really is: through links, those an earlier step would make included."""

from __future__ import annotations

from pathlib import PurePosixPath

from changeover.errors import ActionFailed
from changeover.hosts.host import Host

DEEPEST = 40


def real_path(host: Host, path: str) -> str:
    """Return a path with every link in it followed, as the host (or its shadow) has them.

    Programs are told this path, because a link such as `next` names another folder tomorrow.
    """
    for _ in range(DEEPEST):
        followed = _first_link_followed(host, path)
        if followed == path:
            return path
        path = followed
    raise ActionFailed(f"{host.name}: {path}: too many links", "Look for links that form a circle.")


def _first_link_followed(host: Host, path: str) -> str:
    parts = PurePosixPath(path).parts
    for count in range(2, len(parts) + 1):
        at = PurePosixPath(*parts[:count])
        state = host.look(str(at))
        if state.kind == "link":
            rest = PurePosixPath(*parts[count:]) if count < len(parts) else PurePosixPath()
            return _normal(at.parent / state.target / rest)
    return path


def _normal(path: PurePosixPath) -> str:
    kept: list[str] = []
    for part in path.parts[1:]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    return "/" + "/".join(kept)
