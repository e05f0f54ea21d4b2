"""Secrets where they should not be, and secrets that will not arrive as they are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from changeover.errors import InvalidInstance
from changeover.instances.consumers import CONSUMERS, Consumer, troublesome
from changeover.instances.history import Version, first_commit, in_git, is_ignored, versions
from changeover.instances.sealed import Kind, kind_of
from changeover.instances.secrettext import secret_values
from changeover.model.findings import Finding, failed, passed, warned

SHORTEST = 8
"""Shorter values are found in every text: `prod` is no secret that leaked."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*://([^:/?#\s]*):(.*)@([^@]*)", re.DOTALL)
_CODED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_KEYS = re.compile(rb"AGE-SECRET-KEY-1|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_NEW = "remove it from git's history if you can, and make new secrets: these are known"


def key_findings(path: Path, what: str) -> Iterator[Finding]:
    """Judge a file that opens others: there, private, and not git's."""
    if not path.is_file():
        yield failed(f"{what}: {path} is missing", "ask a colleague for it; never send it by mail")
        return
    if is_program(path):
        # It holds no password: those who may read it see how one is asked for.
        yield passed(f"{what}: {path} is a program that gives it")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield failed(f"{what}: {path} can be read by others", f"chmod go= {path}")
    elif in_git(path.parent) and not is_ignored(path):
        remedy = f"write {path.name} into {path.parent}/.gitignore"
        yield failed(f"{what}: {path} is not ignored by git", remedy)
    else:
        yield passed(f"{what}: {path} is there, for you alone")


def is_program(path: Path) -> bool:
    """Say whether a file is run for what it prints, not read for what it holds."""
    if not os.access(path, os.X_OK):
        return False
    with path.open("rb") as file:
        return file.read(4).startswith((b"#!", b"\x7fELF"))


def url_findings(values: Mapping[str, str]) -> Iterator[Finding]:
    """Judge the passwords inside URLs: a character that is not encoded cuts the URL elsewhere."""
    for name, value in values.items():
        found = _URL.fullmatch(value)
        if not found:
            continue
        password = found[2]
        if not _CODED.fullmatch(password):
            wrong = sorted(set(re.sub(r"%[0-9A-Fa-f]{2}|[A-Za-z0-9._~!$&'()*+,;=-]", "", password)))
            shown = " ".join("a space" if c == " " else c for c in wrong)
            yield failed(
                f"{name}: its password is not encoded: {shown}",
                "encode it: changeover secrets url-quote; then changeover secrets edit",
            )
        elif "+" in password:
            yield warned(
                f"{name}: its password has a `+`, which stays a plus sign",
                "if it stands for a space, write %20: changeover secrets url-quote",
            )
        elif "\ufffd" in unquote(password):
            yield warned(f"{name}: what its password encodes is no text",
                         "encode it again: changeover secrets url-quote")  # fmt: skip
        else:
            yield passed(f"{name}: its password is encoded")


def consumer_findings(values: Mapping[str, str]) -> Iterator[Finding]:
    """Write every value for every kind of file, read it back, and name what does not come back."""
    told = {n: v for n, v in values.items() if v}
    for consumer in CONSUMERS:
        lost = {n: v for n, v in told.items() if not consumer.takes(v)}
        plain = {n: v for n, v in told.items() if n not in lost and not consumer.takes_plain(v)}
        yield from _consumer_findings(consumer, lost, plain, len(told))


def _consumer_findings(
    consumer: Consumer, lost: Mapping[str, str], plain: Mapping[str, str], count: int
) -> Iterator[Finding]:
    for name, value in lost.items():
        said = f"{consumer.name}: {name} does not come back as it is ({troublesome(value)})"
        # A platform reads its settings from there; the others hold a secret at a release's wish.
        judge = failed if consumer.name == "dotenv" else warned
        yield judge(said, f"choose another value, or keep it out of files of {consumer.name}")
    if plain:
        names = ", ".join(f"{n} ({troublesome(v)})" for n, v in plain.items())
        yield warned(
            f"{consumer.name}: comes back only where it is escaped: {names}",
            "releases of this tool escape; a template that writes plain quotes does not",
        )
    if count and not lost and not plain:
        come = "comes" if count == 1 else "come"
        said = f"{_counted(count, 'value')} {come} back as written, escaped or not"
        yield passed(f"{consumer.name}: {said}")


@dataclass(frozen=True)
class Known:
    """What must be nowhere in clear."""

    values: Mapping[str, str]
    sealed: Sequence[Path] = ()
    """Files that must always have been encrypted."""
    open_old: Callable[[bytes], bytes] | None = None
    """Opens an older version of a sealed file; raises `InvalidInstance`."""


def history_findings(folder: Path, known: Known) -> Iterator[Finding]:
    """Look through all that was ever committed below a folder."""
    if not in_git(folder):
        yield warned(f"{folder}: is not in git", "keep it in git: then its history can be judged")
        return
    found = list(versions(folder, known.sealed))
    telling = _telling({**_older_values(found, known), **known.values})
    leaks = 0
    for version in found:
        for what in _leaks(version, telling, known.sealed):
            leaks += 1
            where = f"{version.paths[0]} in commit {first_commit(folder, version.blob)}"
            yield failed(f"{where}: {what}", _NEW)
    if not found:
        yield passed("git: nothing of this folder was ever committed")
    elif not leaks:
        yield passed(f"git: no secret in clear in {_counted(len(found), 'version')} of files")


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _telling(values: Mapping[str, str]) -> dict[str, bytes]:
    """Return what to look for: values long enough to tell, and the passwords inside URLs."""
    inner = {f"{n} (its password)": m[2] for n, v in values.items() if (m := _URL.fullmatch(v))}
    return {n: v.encode() for n, v in {**values, **inner}.items() if len(v) >= SHORTEST}


def _leaks(version: Version, values: Mapping[str, bytes], sealed: Sequence[Path]) -> Iterator[str]:
    content = version.content
    if kind_of(content) is Kind.PLAIN and _is_one(version.paths, sealed) and _says(content):
        yield "was committed without encryption"
        return
    if _KEYS.search(content):
        yield "holds a private key"
    for name, value in values.items():
        if value in content or quote(value, safe="").encode() in content:
            yield f"holds the secret {name} in clear"


def _says(content: bytes) -> bool:
    """Say whether a file of secrets has any: `{}` and comments are none."""
    if b"!vault" in content:
        return False  # sealed one by one; what stands beside is meant to be read
    bare = re.sub(rb"#.*", b"", content)
    return bool(re.sub(rb"[\s{}-]", b"", bare))


def _is_one(paths: Sequence[str], sealed: Sequence[Path]) -> bool:
    return any(str(s.resolve()).endswith(f"/{path}") for s in sealed for path in paths)


def _older_values(found: Sequence[Version], known: Known) -> dict[str, str]:
    """Return what older versions of the sealed files said: it may be in service still."""
    older: dict[str, str] = {}
    for version in found:
        if known.open_old and _is_one(version.paths, known.sealed):
            with suppress(InvalidInstance, UnicodeDecodeError):
                text = known.open_old(version.content).decode("utf-8")
                older |= secret_values(text, version.paths[0])
    return {f"{name} (as it was)": v for name, v in older.items() if known.values.get(name) != v}
