"""Inventories in Ansible's INI form."""

from __future__ import annotations

import ast
import re
import shlex
import warnings
from pathlib import Path
from typing import Any, NoReturn

from changeover.errors import InvalidInstance
from changeover.instances.ansible.inventory import UNGROUPED, Inventory, expanded

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?")
_KINDS = ("hosts", "children", "vars")


class IniReader:
    """Reads one file into an inventory."""

    def __init__(self, inventory: Inventory, path: Path) -> None:
        self._inventory, self._path = inventory, path
        self._group, self._kind, self._line = UNGROUPED, "hosts", 0
        self._declared = set(inventory.groups)
        self._mentioned: dict[str, int] = {}

    def read(self, text: str) -> None:
        """Read every line; raises `InvalidInstance` with file and line."""
        for number, written in enumerate(text.splitlines(), 1):
            self._line, line = number, written.strip()
            if not line or line[0] in "#;":
                continue
            section = _SECTION.fullmatch(line)
            if section:
                self._enter(section[1], section[2] or "hosts")
            elif line[0] == "[" and line[-1] == "]" and self._kind != "hosts":
                self._fail(f"`{line}` names no section", "write [group] without blanks")
            else:
                {"hosts": self._host, "children": self._child, "vars": self._var}[self._kind](line)
        self._refuse_undeclared()

    def _enter(self, group: str, kind: str) -> None:
        if kind not in _KINDS:
            self._fail(f"[{group}:{kind}] is no kind of section", f"one of: {', '.join(_KINDS)}")
        self._group, self._kind = group, kind
        self._inventory.group(group)
        if kind == "vars":
            self._mentioned.setdefault(group, self._line)
        else:
            self._declared.add(group)

    def _host(self, line: str) -> None:
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            self._fail(f"cannot be split into words: {error}", "close the quotes")
        if not words:
            return
        names, port = expanded(words[0], f"{self._path}:{self._line}")
        given = dict(map(self._pair, words[1:]))
        for name in names:
            values = self._inventory.host(name, self._group, self._path)
            values |= {"ansible_port": port} if port else {}
            values |= given

    def _child(self, line: str) -> None:
        name = line.partition("#")[0].strip()
        self._mentioned.setdefault(name, self._line)
        # Not a group yet: it comes where its own section stands, which orders the hosts.
        children = self._inventory.group(self._group).children
        children += [] if name in children else [name]

    def _var(self, line: str) -> None:
        name, value = self._pair(line)
        self._inventory.group(self._group).vars[name] = value

    def _pair(self, word: str) -> tuple[str, Any]:
        name, equals, value = word.partition("=")
        if not equals:
            self._fail(f"`{word}` is not name=value", "write name=value, without blanks around =")
        return name.strip(), ini_value(value.strip())

    def _refuse_undeclared(self) -> None:
        for name, line in self._mentioned.items():
            if name not in self._declared:
                self._line = line
                self._fail(f"no group is called `{name}`", f"write a section [{name}]")

    def _fail(self, what: str, remedy: str) -> NoReturn:
        raise InvalidInstance(f"{self._path}:{self._line}: {what}", remedy)


def ini_value(text: str) -> Any:
    """Read a value as Ansible does there: a literal of Python where it is one, else text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, str | int | float | bool | list | dict | None) else text
