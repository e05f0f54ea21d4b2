"""Filters of Ansible for text: patterns, codes, times, paths and sizes."""

from __future__ import annotations

import base64
import datetime
import glob
import hashlib
import math
import ntpath
import os
import posixpath
import re
import shlex
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from changeover.errors import InvalidInput

_NAMESPACE = "361E6D51-FAEC-444A-9079-341386DA8E2E"
"""The namespace `to_uuid` makes UUIDs in, by Ansible's documentation."""
_UNITS = "BKMGTPEZY"
_SIZE = re.compile(r"([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*")
_COMMENTS: Mapping[str, tuple[str, str, str]] = {
    "plain": ("", "# ", ""),
    "erlang": ("", "% ", ""),
    "c": ("", "// ", ""),
    "cblock": ("/*", " * ", " */"),
    "xml": ("<!--", " - ", "-->"),
}
"""Style -> how a comment begins, what stands before each line, how it ends."""


def flags_of(ignorecase: bool, multiline: bool) -> re.RegexFlag:
    """Return the flags of a pattern."""
    return (re.IGNORECASE if ignorecase else re.NOFLAG) | (re.MULTILINE if multiline else re.NOFLAG)


def _search(
    text: Any, pattern: str, *groups: str, ignorecase: bool = False, multiline: bool = False
) -> Any:
    found = re.search(pattern, str(text), flags_of(ignorecase, multiline))
    if not found:
        return None
    names = [int(g[1:]) if g[1:].isdigit() else g[3:].rstrip(">") for g in groups]
    return [found.group(name) for name in names] if names else found.group()


def _replace(
    text: Any, pattern: str = "", new: str = "", ignorecase: bool = False,
    multiline: bool = False, count: int = 0,
) -> str:  # fmt: skip
    return re.sub(pattern, new, str(text), count=count, flags=flags_of(ignorecase, multiline))


def _findall(text: Any, pattern: str, multiline: bool = False, ignorecase: bool = False) -> Any:
    return re.findall(pattern, str(text), flags_of(ignorecase, multiline))


def _escape(text: Any, re_type: str = "python") -> str:
    if re_type == "posix_basic":
        return re.sub(r"([].[^$*\\])", r"\\\1", str(text))
    return re.escape(str(text))


def _hash(text: Any, kind: str = "sha1") -> str:
    return hashlib.new(kind, str(text).encode(), usedforsecurity=False).hexdigest()


def _b64encode(text: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    return encode(str(text).encode(encoding)).decode()


def _b64decode(text: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    decode = base64.urlsafe_b64decode if urlsafe else base64.b64decode
    return decode(str(text)).decode(encoding)


def _to_uuid(text: Any, namespace: str = _NAMESPACE) -> str:
    return str(uuid.uuid5(uuid.UUID(namespace), str(text)))


def _strftime(form: str, second: Any = None, utc: bool = False) -> str:
    moment = None if second is None else float(second)
    return time.strftime(form, time.gmtime(moment) if utc else time.localtime(moment))


def _to_datetime(text: str, form: str = "%Y-%m-%d %H:%M:%S") -> datetime.datetime:
    return datetime.datetime.strptime(text, form)


def _human_readable(size: float, isbits: bool = False, unit: str | None = None) -> str:
    base = "bits" if isbits else "Bytes"
    wanted = unit[:1].upper() if unit else ""
    for power in range(len(_UNITS) - 1, -1, -1):
        limit = 1 << (10 * power)
        if (not wanted and size >= limit) or wanted == _UNITS[power] or power == 0:
            return f"{size / limit:.2f} {_UNITS[power] + base[0] if power else base}"
    raise AssertionError("the last unit is always taken")


def _human_to_bytes(size: Any, default_unit: str | None = None, isbits: bool = False) -> int:
    found = _SIZE.fullmatch(str(size))
    unit = (found[2] or default_unit or "B") if found else ""
    suffixes = ("b", "bit") if isbits else ("B", "byte")
    if not found or unit[0].upper() not in _UNITS or not _is_unit(unit, suffixes):
        raise InvalidInput(f"human_to_bytes: `{size}` is no size", "write 10M or 1.5 GB")
    return round(float(found[1]) * (1 << (10 * _UNITS.index(unit[0].upper()))))


def _is_unit(unit: str, suffixes: tuple[str, str]) -> bool:
    letter, word = suffixes
    return len(unit) == 1 or unit[1:] == letter or unit.lower().endswith(word)


def _comment(text: str, style: str = "plain", **own: Any) -> str:
    if style not in _COMMENTS:
        raise InvalidInput(f"comment: style {style}", f"one of: {', '.join(_COMMENTS)}")
    beginning, decoration, end = _COMMENTS[style]
    bare = str(own.get("decoration", decoration)).rstrip()
    said: dict[str, Any] = {
        "beginning": beginning, "prefix": bare, "prefix_count": 1, "decoration": decoration,
        "postfix": bare, "postfix_count": 1, "end": end, "newline": "\n",
    }  # fmt: skip
    said |= own
    line, mark = said["newline"], said["decoration"]
    before = said["prefix"] if said["prefix"] == line else said["prefix"] + line
    lines = f"{mark}{text.replace(line, line + mark)}".replace(mark + line, mark.rstrip() + line)
    return "".join((
        said["beginning"] + line if said["beginning"] else "",
        before * int(said["prefix_count"]) if said["prefix"] else "",
        lines,
        (line + said["postfix"]) * int(said["postfix_count"]),
        line + said["end"] if said["end"] else "",
    ))  # fmt: skip


def _urlsplit(url: Any, part: str = "") -> Any:
    split = urlsplit(str(url))
    known = {
        "scheme": split.scheme, "netloc": split.netloc, "path": split.path, "query": split.query,
        "fragment": split.fragment, "username": split.username, "password": split.password,
        "hostname": split.hostname, "port": split.port,
    }  # fmt: skip
    return known[part] if part else known


def _joined(parts: Any) -> str:
    return posixpath.join(*([parts] if isinstance(parts, str) else parts))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "b64decode": _b64decode,
    "b64encode": _b64encode,
    "basename": lambda value: posixpath.basename(str(value)),
    "checksum": _hash,
    "comment": _comment,
    "commonpath": lambda paths: posixpath.commonpath(list(paths)),
    "dirname": lambda value: posixpath.dirname(str(value)),
    "expanduser": lambda value: os.path.expanduser(str(value)),  # noqa: PTH111 - keeps what is written
    "expandvars": lambda value: os.path.expandvars(str(value)),
    "fileglob": lambda value: [f for f in glob.glob(str(value)) if os.path.isfile(f)],  # noqa: PTH113, PTH207 - text, not a path here
    "hash": _hash,
    "human_readable": _human_readable,
    "human_to_bytes": _human_to_bytes,
    "log": lambda value, base=math.e: math.log10(value) if base == 10 else math.log(value, base),
    "md5": lambda value: _hash(value, "md5"),
    "normpath": lambda value: os.path.normpath(str(value)),
    "path_join": _joined,
    "pow": math.pow,
    "quote": lambda value: shlex.quote("" if value is None else str(value)),
    "realpath": lambda value: os.path.realpath(str(value)),
    "regex_escape": _escape,
    "regex_findall": _findall,
    "regex_replace": _replace,
    "regex_search": _search,
    "relpath": lambda value, start=".": os.path.relpath(str(value), start),
    "root": lambda value, base=2: math.sqrt(value) if base == 2 else math.pow(value, 1 / base),
    "sha1": _hash,
    "split": lambda text, *words, **named: str(text).split(*words, **named),
    "splitext": lambda value: posixpath.splitext(str(value)),
    "strftime": _strftime,
    "to_datetime": _to_datetime,
    "to_uuid": _to_uuid,
    "urldecode": unquote_plus,
    "urlsplit": _urlsplit,
    "win_basename": lambda value: ntpath.basename(str(value)),
    "win_dirname": lambda value: ntpath.dirname(str(value)),
    "win_splitdrive": lambda value: ntpath.splitdrive(str(value)),
}
"""Text about files is about this machine's, as it is in Ansible."""
