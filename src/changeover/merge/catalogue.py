"""The formats there are, and which one a file has: by its name, then by its content."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from importlib import import_module
from typing import NamedTuple

from changeover.errors import InvalidInput
from changeover.merge.formats.base import Format


class Entry(NamedTuple):
    """One line of the table: a format, names of files that have it, a mark in their content."""

    name: str
    patterns: tuple[str, ...] = ()
    content: str = ""


FORMATS = (
    Entry("compose", ("*compose*.yml", "*compose*.yaml")),
    Entry("yaml", ("*.yml", "*.yaml", "*.eyaml"), r"(?m)\A(?:#[^\n]*\n|\s*\n)*(?:---|%YAML)\s"),
    Entry("toml", ("*.toml", "Pipfile", "Cargo.lock", "poetry.lock", "uv.lock")),
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
          r"(?m)^\s*(?:(?:server|http|events|upstream\s+\S+|location\s+[^\n{]+)\s*\{"
          r"|proxy_pass\s|listen\s+[\d\[:.]+[^\n]*;)"),
    Entry("dotenv", (".env", "*.env", ".env.*", "*.env.*", "*/default/*", "*/sysconfig/*",
                     "*/environment", "os-release"),
          r"\A(?:\s*(?:#[^\n]*)?\n)*(?:export\s+)?[A-Z_][A-Z0-9_]*=[^\n]*\n"
          r"(?!(?s:.)*^\[)"),
    Entry("deb822", ("*.sources",), r"\A(?:#[^\n]*\n)*Types:\s"),
    Entry("ini", ("*.ini", "*.cfg", "*.repo", "*supervisor*.conf", "*/supervisor/*", "*.cnf",
                  "*.desktop", ".gitconfig", "*/.git/config", "*.properties", ".editorconfig",
                  ".npmrc", "pip.conf", "*odbc*"),
          r"(?m)\A(?:[#;][^\n]*\n|\s*\n)*\[[^\]\n]+\]\s*$"),
    Entry("directives", ("*.conf", "*.cf", "*/sysctl.d/*", "login.defs", "*/sudoers")),
    Entry("text"),
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
    if name:
        path = "/" + name.replace("\\", "/").lstrip("/")
        for suffix in (".dpkg-dist", ".dpkg-new", ".dpkg-old", ".ucf-dist", ".ucf-old", ".rpmnew",
                       ".rpmsave", ".rpmorig", ".orig", ".bak", ".example", ".sample", ".dist",
                       ".j2", ".template"):  # fmt: skip
            path = path.removesuffix(suffix)
        for entry in FORMATS:
            if entry.name != "directives" and any(_matches(path, p) for p in entry.patterns):
                return _compose_or_not(entry.name, text)
    sample = text[:20_000]
    for entry in FORMATS:
        if entry.content and re.search(entry.content, sample):
            return _compose_or_not(entry.name, text)
    simple = name and _is_directives(name) and _one_setting_a_line(text)
    return "directives" if simple else "text"


def _one_setting_a_line(text: str) -> bool:
    """Return whether lines are settings: no blocks, and no table such as pg_hba.conf."""
    if re.search(r"(?m)^\s*</?\w|^[^#\n]*[{}]\s*$", text):
        return False
    lines = [line.split() for line in text.split("\n") if line.strip() and line.lstrip()[0] != "#"]
    return len({words[0] for words in lines}) * 2 >= len(lines)


def _matches(path: str, pattern: str) -> bool:
    target = path if "/" in pattern else path.rpartition("/")[2]
    return fnmatchcase(target, pattern)


def _compose_or_not(name: str, text: str) -> str:
    if name not in ("yaml", "compose"):
        return name
    services = re.search(r"(?m)^(?:services|include|volumes|networks):", text)
    image = re.search(r"(?m)^\s+(?:image|build|extends|environment|ports|volumes|env_file):", text)
    return "compose" if name == "compose" or (services and image) else "yaml"


def _is_directives(name: str) -> bool:
    entry = next(entry for entry in FORMATS if entry.name == "directives")
    return any(_matches("/" + name.lstrip("/"), pattern) for pattern in entry.patterns)
