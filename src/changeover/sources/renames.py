"""Settings that releases renamed, over a whole way of releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from changeover.model.release import Release
from changeover.sources.versions import version_key


def renamed_over(way: Sequence[Release], config: str) -> Mapping[str, str]:
    """Return old -> new path of settings of a file over a way, up or down.

    Each release but the oldest renames its own: `a -> b` and `b -> c` become `a -> c`.
    """
    up = version_key(way[0].version) <= version_key(way[-1].version)
    joined: dict[str, str] = {}
    for release in way[1:] if up else way[-2::-1]:
        found = release.configs.get(config)
        told = dict(found.renamed) if found else {}
        joined = {old: told.pop(new, new) for old, new in joined.items()}
        joined.update(told)
    return joined if up else {new: old for old, new in joined.items()}
