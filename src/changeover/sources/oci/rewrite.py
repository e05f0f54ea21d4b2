"""Makes files name images elsewhere: layout kept, variables and `.env` included."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from changeover.sources.oci.fault import BadReference, ImageFault
from changeover.sources.oci.mention_text import Mention, read_text
from changeover.sources.oci.reference import Reference, looks_like_host, parse_reference
from changeover.sources.oci.variables import EnvLine, env_lines, leading


@dataclass(frozen=True)
class Edit:
    """A change of one stretch of a file."""

    file: Path
    start: int
    end: int
    old: str
    new: str
    line: int
    note: str = ""


Renamed = Callable[[Reference], tuple[Reference, str]]
"""Gives an image's reference at its new place, and what to say about it."""


def moved(to: Reference, *, tags: bool) -> Renamed:
    """Return the renaming to a registry and prefix; with `tags`, digests are left out.

    Engines before 25 keep no digest of an image that was loaded.
    """

    def renamed(old: Reference) -> tuple[Reference, str]:
        name = "/".join(p for p in (to.name, old.name) if p)
        new = replace(old, host=to.host, name=name)
        if not tags or not old.digest:
            return new, ""
        if not old.tag:
            return new, "kept by digest: it has no tag"
        return replace(new, digest=""), "by tag: an engine that loaded it may not know its digest"

    return renamed


def edits(found: Sequence[Mention], renamed: Renamed) -> list[Edit]:
    """Return what must change so that every mention names the new place.

    Raises `BadReference` where two files want different things of one variable.
    """
    changes: dict[tuple[Path, int], Edit] = {}
    for mention in found:
        if mention.reference.kind != "docker":
            continue
        new, note = renamed(mention.reference)
        edit = _in_variable(mention, new, note) or _in_place(mention, new, note)
        # A file may be named twice, in two ways: it is changed once.
        known = changes.setdefault((edit.file.resolve(), edit.start), edit)
        if known.new != edit.new:
            raise BadReference(
                f"{edit.file}:{edit.line}: {edit.old}: would have to be both {known.new} "
                f"and {edit.new}",
                f"write the image in {mention.file}:{mention.line} out",
            )
    return [e for e in changes.values() if e.old != e.new]


def apply_edits(changes: Sequence[Edit]) -> None:
    """Change the files, each at once; raises `ImageFault` where one cannot be written."""
    for file in sorted({e.file for e in changes}):
        text = read_text(file)
        for edit in sorted((e for e in changes if e.file == file), key=lambda e: -e.start):
            text = text[: edit.start] + edit.new + text[edit.end :]
        _replace(file, text)


def _in_variable(mention: Mention, new: Reference, note: str) -> Edit | None:
    """Change the variable that holds the registry, or the whole reference."""
    variable = leading(mention.written)
    if variable is None or mention.env is None:
        return None
    name = variable["plain"] or variable["name"]
    text = _text_of(mention.env)
    line = next((x for x in env_lines(text) if x.name == name), None)
    if line is None:
        return None
    value = _new_value(mention, new, line, mention.written[variable.end() :])
    if value is None:
        return None
    number = text.count("\n", 0, line.start) + 1
    return Edit(mention.env, line.start, line.end, line.value, value, number, note)


def _new_value(mention: Mention, new: Reference, line: EnvLine, rest: str) -> str | None:
    if not rest:
        return str(new)
    host, slash, path = line.value.rstrip("/").partition("/")
    if "$" in line.value or not looks_like_host(host):
        return None
    ending = "/" if line.value.endswith("/") else ""
    old_name, new_name = mention.reference.name, new.name
    before = new_name.removesuffix(old_name).rstrip("/")
    if slash and not (old_name + "/").startswith(path + "/"):
        return None
    return "/".join(p for p in (new.host, before, path) if p) + ending


def _in_place(mention: Mention, new: Reference, note: str) -> Edit:
    """Change the text itself; a tag that is a variable stays one."""
    old = mention.reference
    written = _without_digest(mention.written) if old.digest and not new.digest else mention.written
    path, tail = _tail(written)
    text = f"{new.host}/{new.name}{tail}"
    if "$" in path and parse_reference(f"{old.host}/{old.name}") != replace(old, tag="", digest=""):
        text = str(new)
    return Edit(mention.file, mention.start, mention.end, mention.written, text, mention.line, note)


def _tail(written: str) -> tuple[str, str]:
    """Split off tag and digest as they are written, braces of variables respected."""
    depth = 0
    for position in range(len(written) - 1, -1, -1):
        char = written[position]
        depth += (char == "}") - (char == "{")
        if depth == 0 and char == "/":
            break
    else:
        position = -1
    return _split_after(written, position + 1)


def _split_after(written: str, start: int) -> tuple[str, str]:
    depth = 0
    for position in range(start, len(written)):
        char = written[position]
        depth += (char == "{") - (char == "}")
        if depth == 0 and char in ":@":
            return written[:position], written[position:]
    return written, ""


def _without_digest(written: str) -> str:
    path, at, _ = written.rpartition("@")
    return path if at else written


def _text_of(file: Path) -> str:
    return read_text(file) if file.is_file() else ""


def _replace(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}-{secrets.token_hex(4)}.partial")
    try:
        partial.write_bytes(text.encode())
        status = file.stat()
        partial.chmod(status.st_mode & 0o7777)
        with contextlib.suppress(PermissionError):
            os.chown(partial, status.st_uid, status.st_gid)
        partial.replace(file.resolve())
    except OSError as e:
        raise ImageFault(f"{file}: {e.strerror}", "make it writable for you") from None
    finally:
        partial.unlink(missing_ok=True)
