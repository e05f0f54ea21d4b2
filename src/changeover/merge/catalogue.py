"""The formats there are, and which one a file has: by its name, then by its content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from typing import NamedTuple

from changeover.errors import InvalidInput
from changeover.merge.formats.base import Format


class Entry(NamedTuple):
    """One line of the table: a format, names of files that have it, marks in their content."""

    name: str
    patterns: tuple[str, ...] = ()
    content: str = ""
    """Found anywhere in the text."""
    first: str = ""
    """Matches the first line that is neither blank nor a comment."""
    unless: str = ""
    proven: bool = False
    """The marks count only where the whole text can be read in the format."""


FORMATS = (
    Entry("compose", ("*compose*.yml", "*compose*.yaml")),
    Entry("yaml", ("*.yml", "*.yaml", "*.eyaml", "*/cloud.cfg", "*/cloud.cfg.d/*.cfg"),
          r"\A#cloud-config\b", r"(?:---|%YAML)(?:\s|\Z)"),
    Entry("toml", ("*.toml", "Pipfile", "Cargo.lock", "poetry.lock", "uv.lock"),
          r"(?m)^[ \t]*+\[\[[\w.\"-]++\]\]|^[ \t]*+(?:#[ \t]*+)?[\w-]++[ \t]*+=[ \t]*+\[[ \t]*+$",
          proven=True),
    Entry("json", ("*.json", "*.jsonc", "*.json5", "*.tfstate", ".eslintrc", "*.webmanifest"),
          r"\A\s*\{\s*(?:\"|\}|//)"),
    Entry("systemd", ("*.service", "*.socket", "*.timer", "*.target", "*.mount", "*.automount",
                      "*.path", "*.slice", "*.swap", "*.scope", "*.device", "*.network",
                      "*.netdev", "*.link", "*.nspawn", "*/systemd/*.conf", "*.d/override.conf",
                      "*.service.d/*.conf", "*.socket.d/*.conf", "*.timer.d/*.conf"),
          r"(?m)^\[(?:Unit|Service|Install|Socket|Timer)\]\s*$"),
    Entry("sshd", ("*sshd_config*", "*ssh_config*", "*/sshd_config.d/*", "*/ssh_config.d/*"),
          r"(?mi)^(?:#\s*)?(?:PermitRootLogin|HostKeyAlgorithms|AuthorizedKeysFile)\s"),
    Entry("nginx", ("*nginx*.conf", "*/nginx/*", "*nginx*/*.conf", "*.nginx"),
          r"(?m)^[ \t]*(?:(?:server|http|events|upstream\s+\S+|location\s+[^\n{]+)\s*\{"
          r"|proxy_pass\s|listen\s+[\d\[:.]+[^\n]*;)"),
    Entry("dotenv", (".env", "*.env", ".env.*", "*.env.*", "*/default/*", "*/sysconfig/*",
                     "*/environment", "os-release"),
          first=r"(?:export\s+)?[A-Z_][A-Z0-9_]*=", unless=r"(?m)^\["),
    Entry("deb822", ("*.sources",), first=r"Types:\s"),
    Entry("ini", ("*.ini", "*.cfg", "*.repo", "*supervisor*.conf", "*/supervisor/*", "*.cnf",
                  "*.desktop", ".gitconfig", "*/.git/config", "*.properties", ".editorconfig",
                  ".npmrc", "pip.conf", "*odbc*"),
          first=r"\[[^\]]+\]\s*\Z"),
    Entry("blocks", ("*/apache2/*.conf", "*/httpd/*.conf", ".htaccess", "*httpd*.conf",
                     "*/dovecot/*.conf", "*/dovecot/*.ext", "*/logrotate.d/*", "*/freeradius/*/*",
                     "named.conf*", "keepalived.conf"),
          first=r"/[\w./*? \t-]*+\{\Z|<(?:VirtualHost|Directory|IfModule)\b.*>\Z"),
    Entry("stanzas", ("*/network/interfaces", "*/interfaces.d/*")),
    Entry("directives", ("*.conf", "*.cf", "*.cfg", "*/sysctl.d/*", "login.defs", "*/sudoers")),
    Entry("text"),
)  # fmt: skip


_SUFFIXES = (
    ".dpkg-dist", ".dpkg-new", ".dpkg-old", ".ucf-dist", ".ucf-old", ".rpmnew", ".rpmsave",
    ".rpmorig", ".orig", ".bak", ".example", ".sample", ".dist", ".j2", ".template", ".tmpl",
)  # fmt: skip


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(entry.name for entry in FORMATS)


def load(name: str) -> Format:
    """Import one format, and only that one."""
    if name not in names():
        raise InvalidInput(f"format {name}: unknown", f"use one of {', '.join(names())}")
    module = import_module(f"changeover.merge.formats.{name}")
    found: Format = module.FORMAT
    return found


def detect(name: str | None, text: str) -> str:
    """Return the format of a file; content settles what a name such as `x.conf` leaves open."""
    return next(candidates(name, text))


def candidates(name: str | None, text: str) -> Iterator[str]:
    """Return the formats a file may have, the likeliest first and `text` last."""
    path = _bare_path(name or "")
    named = [entry for entry in FORMATS if any(_matches(path, p) for p in entry.patterns)]
    sample = text[:20_000]
    first = _first_line(sample)
    found = [entry.name for entry in named if entry.name != "directives"]
    found += [
        entry.name
        for entry in FORMATS
        if _is_marked(entry, sample, first) and (not entry.proven or _reads(entry, text))
    ]
    if any(entry.name == "directives" for entry in named):
        found += _simple_format(text)
    for format_ in dict.fromkeys([*found, "text"]):
        yield _compose_or_not(format_, text)


def _reads(entry: Entry, text: str) -> bool:
    try:
        load(entry.name).values(text)
    except InvalidInput:
        return False
    return True


def _bare_path(name: str) -> str:
    """Return a path without what package managers and templates put behind a name."""
    path = "/" + name.replace("\\", "/").lstrip("/")
    for suffix in _SUFFIXES:
        path = path.removesuffix(suffix)
    return path


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and line[0] not in "#;"), "")


def _is_marked(entry: Entry, sample: str, first: str) -> bool:
    if entry.first and re.match(entry.first, first):
        return not (entry.unless and re.search(entry.unless, sample))
    return bool(entry.content and re.search(entry.content, sample))


def _simple_format(text: str) -> list[str]:
    """Return the format of lines that are settings: no blocks, and no table such as pg_hba.conf."""
    if re.search(r"(?m)^[ \t]*</?\w|^[^#\n]*\{\s*$|^[ \t]*\}", text):
        blocks = re.search(r"(?m)^[ \t]*+(?:</\w++>|\}[ \t]*+;?)[ \t]*+$", text)
        return ["blocks"] if blocks and not re.match(r"\s*<[?!]", text) else []
    if re.search(r"(?m)^[^\s#;=\\]+[^\n=\\]*\n(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]+[^\s#]", text):
        return ["stanzas"]
    bare = [line.strip() for line in text.split("\n")]
    lines = [line.split() for line in bare if line and line[0] not in "#;"]
    return ["directives"] if len({words[0] for words in lines}) * 2 >= len(lines) else []


def _matches(path: str, pattern: str) -> bool:
    target = path if "/" in pattern else path.rpartition("/")[2]
    return fnmatchcase(target, pattern)


def _compose_or_not(name: str, text: str) -> str:
    if name not in ("yaml", "compose"):
        return name
    services = re.search(r"(?m)^(?:services|include|volumes|networks):", text)
    image = re.search(
        r"(?m)^[ \t]+(?:image|build|extends|environment|ports|volumes|env_file):", text
    )
    return "compose" if name == "compose" or (services and image) else "yaml"
