"""What may stand behind `is` in variables of Ansible, beside Jinja's own tests."""

from __future__ import annotations

import math
import operator
import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from changeover.errors import InvalidInput
from changeover.instances.ansible.filters import to_bool
from changeover.instances.ansible.filters_text import flags_of

_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), operator.eq),
    **dict.fromkeys(("!=", "<>", "ne"), operator.ne),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le"), operator.le),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge"), operator.ge),
}
_RELEASE = 1
"""Above every part of a pre-release: a version without one is the later."""


def _pattern(how: Callable[..., Any]) -> Callable[..., bool]:
    def tested(
        text: Any, pattern: str = "", ignorecase: bool = False, multiline: bool = False
    ) -> bool:
        return bool(how(pattern, str(text), flags_of(ignorecase, multiline)))

    return tested


def _version(
    value: Any, other: Any, sign: str = "eq", strict: bool | None = None, version_type: str = ""
) -> bool:
    if sign not in _SIGNS:
        raise InvalidInput(f"version: `{sign}` compares nothing", f"one of: {', '.join(_SIGNS)}")
    if not value or not other:
        raise InvalidInput("version: nothing to compare", "give both versions")
    kind = version_type or ("strict" if strict else "loose")
    parts = _PARTS.get(kind)
    if parts is None:
        raise InvalidInput(f"version: version_type {kind}", f"one of: {', '.join(_PARTS)}")
    try:
        return _SIGNS[sign](parts(str(value)), parts(str(other)))
    except TypeError:
        raise InvalidInput(
            f"version: {value} and {other} cannot be compared", "compare numbers with numbers"
        ) from None


def _loose(text: str) -> list[int | str]:
    words = [w for w in re.split(r"(\d+|[a-z]+|\.)", text) if w and w != "."]
    return [int(w) if w.isdigit() else w for w in words]


def _strict(text: str) -> tuple[Any, ...]:
    found = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?", text)
    if not found:
        raise InvalidInput(f"version: `{text}` is not strict", "write 1.2.3, 1.2 or 1.2b3")
    early = (0, found[4], int(found[5])) if found[4] else (_RELEASE,)
    return (int(found[1]), int(found[2]), int(found[3] or 0), early)


def _semantic(text: str) -> tuple[Any, ...]:
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", text)
    if not found:
        raise InvalidInput(f"version: `{text}` is not semantic", "write 1.2.3 or 1.2.3-rc.1")
    words = (found[4] or "").split(".") if found[4] else []
    early = [(0, int(w), "") if w.isdigit() else (1, 0, w) for w in words]
    return (*(int(found[i]) for i in (1, 2, 3)), (0, early) if early else (_RELEASE, []))


_PARTS: Mapping[str, Callable[[str], Any]] = {
    "loose": _loose,
    "strict": _strict,
    "semver": _semantic,
    "semantic": _semantic,
}


def _truthy(value: Any, convert_bool: bool = False) -> bool:
    known = str(value).lower() in ("yes", "on", "1", "true", "no", "off", "0", "false")
    return bool(to_bool(value) if convert_bool and known else value)


def _is_url(text: Any, schemes: list[str] | None = None) -> bool:
    split = urlsplit(str(text))
    return (not schemes or split.scheme in schemes) and bool(split.netloc or split.scheme == "file")


def _superset(items: Any, other: Any) -> bool:
    return all(item in items for item in other)


def _subset(items: Any, other: Any) -> bool:
    return _superset(other, items)


def _of_file(judge: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda path: judge(str(path))


TESTS: Mapping[str, Callable[..., bool]] = {
    "abs": _of_file(os.path.isabs),
    "all": all,
    "any": any,
    "contains": lambda items, item: item in items,
    "directory": _of_file(os.path.isdir),
    "exists": _of_file(os.path.exists),
    "falsy": lambda value, convert_bool=False: not _truthy(value, convert_bool),
    "file": _of_file(os.path.isfile),
    "issubset": _subset,
    "issuperset": _superset,
    "link": _of_file(os.path.islink),
    "match": _pattern(re.match),
    "nan": math.isnan,
    "regex": _pattern(re.search),
    "search": _pattern(re.search),
    "subset": _subset,
    "superset": _superset,
    "truthy": _truthy,
    "url": _is_url,
    "version": _version,
    "version_compare": _version,
}
"""Text about files is about this machine's, as it is in Ansible."""
