"""Random documents and edits for every format: a small model, written in each of them.

Every comment carries a tag of its own, so that its survival can be counted.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random


@dataclass
class Entry:
    """A setting, a table, a list or a comment."""

    kind: str
    key: str = ""
    value: str = ""
    children: list[Entry] = field(default_factory=list)
    remark: str = ""


class Maker:
    """Makes documents and edits from one seed."""

    def __init__(self, seed: int, *, depth: int, tables: bool) -> None:
        self.random = Random(seed)  # noqa: S311 - reproducible, not secret
        self.depth, self.tables, self.count = depth, tables, 0

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def comment(self) -> Entry:
        return Entry("comment", value=f"about {self.fresh('tag')}")

    def setting(self) -> Entry:
        remark = self.fresh("tail") if self.random.random() < 0.15 else ""
        return Entry("setting", self.fresh("k"), self.value(), remark=remark)

    def value(self) -> str:
        return self.random.choice(["on", "text", "some words", "a/b", "x-y"]) + str(
            self.random.randrange(1000)
        )

    def document(self) -> Entry:
        return Entry("table", children=self.children(0))

    def children(  # noqa: C901 - a grammar reads best in one piece
        self, depth: int
    ) -> list[Entry]:
        plain = [self.setting() for _ in range(self.random.randrange(2, 6))]
        found: list[Entry] = []
        for entry in plain:
            if self.random.random() < 0.3:
                found.append(self.comment())
            found.append(entry)
        if self.random.random() < 0.5:
            items = [
                Entry("item", value=self.fresh("v")) for _ in range(self.random.randrange(2, 5))
            ]
            found.append(Entry("list", self.fresh("l"), children=items))
        if depth < self.depth:
            for _ in range(self.random.randrange(1, 4)):
                if self.random.random() < 0.3:
                    found.append(Entry("blank"))
                if self.random.random() < 0.3:
                    found.append(self.comment())
                found.append(Entry("table", self.fresh("t"), children=self.children(depth + 1)))
        if self.tables and depth == 0 and self.random.random() < 0.6:
            rows = [self._row() for _ in range(self.random.randrange(2, 4))]
            found.append(Entry("rows", self.fresh("r"), children=rows))
        return found

    def _row(self) -> Entry:
        row = Entry("row", children=[Entry("setting", "name", self.fresh("n"))])
        row.children += [self.setting() for _ in range(self.random.randrange(1, 4))]
        return row

    def edited(self, document: Entry, edits: int) -> Entry:
        result = copy.deepcopy(document)
        for _ in range(edits):
            self._edit(result)
        return result

    def _edit(self, document: Entry) -> None:  # noqa: C901 - one branch for each kind of edit
        parent = self.random.choice(list(_parents(document)))
        choice = self.random.random()
        if parent.kind == "list":
            self._edit_list(parent, choice)
        elif choice < 0.4:
            settings = [e for e in parent.children if e.kind == "setting" and e.key != "name"]
            if settings:
                self.random.choice(settings).value = self.value()
        elif choice < 0.6:
            place = self.random.randrange(_plain(parent) + 1)
            parent.children.insert(place, self.setting())
        elif choice < 0.75:
            options = [e for e in parent.children if e.key != "name" and e.kind != "blank"]
            if len(options) > 2:
                parent.children.remove(self.random.choice(options))
        elif choice < 0.9:
            parent.children.insert(self.random.randrange(_plain(parent) + 1), self.comment())
        elif self.depth and parent.key == "" and parent.kind == "table":
            rows = next((e for e in parent.children if e.kind == "rows"), None)
            table = Entry("table", self.fresh("t"), children=[self.setting(), self.setting()])
            place = parent.children.index(rows) if rows else len(parent.children)
            parent.children.insert(place, table)

    def _edit_list(self, parent: Entry, choice: float) -> None:
        if choice < 0.6 or len(parent.children) < 3:
            place = self.random.randrange(len(parent.children) + 1)
            parent.children.insert(place, Entry("item", value=self.fresh("v")))
        else:
            parent.children.pop(self.random.randrange(len(parent.children)))


def _plain(parent: Entry) -> int:
    """Return how many children come before the first table: settings may only go there."""
    for place, child in enumerate(parent.children):
        if child.kind in ("table", "rows", "blank", "list"):
            return place
    return len(parent.children)


def _parents(entry: Entry) -> list[Entry]:
    found = [entry] if entry.kind in ("table", "row", "list") else []
    for child in entry.children:
        found += _parents(child)
    return found


def write(document: Entry, form: str) -> str:
    """Write a document in a format."""
    return {"yaml": _yaml, "toml": _toml, "json": _json}.get(form, _lines(form))(document)


def _yaml(document: Entry) -> str:
    return "".join(line + "\n" for line in _yaml_lines(document.children, 0))


def _yaml_lines(children: list[Entry], indent: int) -> list[str]:
    pad, lines = " " * indent, []
    for entry in children:
        remark = f"  # {entry.remark}" if entry.remark else ""
        if entry.kind == "comment":
            lines.append(f"{pad}# {entry.value}")
        elif entry.kind == "blank":
            lines.append("")
        elif entry.kind == "setting":
            lines.append(f"{pad}{entry.key}: {entry.value}{remark}")
        elif entry.kind == "list":
            lines += [f"{pad}{entry.key}:", *(f"{pad}- {item.value}" for item in entry.children)]
        elif entry.kind == "rows":
            lines.append(f"{pad}{entry.key}:")
            for row in entry.children:
                first, *rest = _yaml_lines(_named_first(row), indent + 4)
                lines += [f"{pad}  - {first.strip()}", *rest]
        else:
            lines += [f"{pad}{entry.key}:", *_yaml_lines(entry.children, indent + 2)]
    return lines


def _named_first(row: Entry) -> list[Entry]:
    named = [child for child in row.children if child.key == "name"]
    return named + [child for child in row.children if child.key != "name"]


def _toml(document: Entry) -> str:
    return "".join(line + "\n" for line in _toml_lines(document.children, ()))


def _toml_lines(children: list[Entry], path: tuple[str, ...]) -> list[str]:
    lines = []
    for entry in children:
        here = (*path, entry.key)
        if entry.kind in ("comment", "blank"):
            lines.append(f"# {entry.value}" if entry.value else "")
        elif entry.kind == "setting":
            remark = f" # {entry.remark}" if entry.remark else ""
            lines.append(f'{entry.key} = "{entry.value}"{remark}')
        elif entry.kind == "list":
            items = ", ".join(f'"{item.value}"' for item in entry.children)
            lines.append(f"{entry.key} = [{items}]")
        elif entry.kind == "rows":
            for row in entry.children:
                lines += ["", f"[[{'.'.join(here)}]]", *_toml_lines(row.children, here)]
        else:
            lines += ["", f"[{'.'.join(here)}]", *_toml_lines(entry.children, here)]
    return lines


def _json(document: Entry) -> str:
    return json.dumps(plain(document), indent=2) + "\n"


def plain(entry: Entry) -> object:
    """Return what a document means."""
    if entry.kind in ("setting", "item"):
        return entry.value
    if entry.kind in ("list", "rows"):
        return [plain(child) for child in entry.children]
    return {c.key: plain(c) for c in entry.children if c.kind not in ("comment", "blank")}


def _lines(form: str) -> Callable[[Entry], str]:
    def written(document: Entry) -> str:
        if form in ("nginx", "blocks"):
            return "".join(_nested_lines(document.children, 0, form))
        lines = []
        for entry in document.children:
            lines += _flat(entry, form)
        return "".join(line + "\n" for line in lines)

    return written


_PAIR = {"ini": "{} = {}", "systemd": "{}={}", "dotenv": "{}={}", "directives": "{} = {}",
         "sshd": "{} {}"}  # fmt: skip


def _flat(entry: Entry, form: str) -> list[str]:
    if entry.kind in ("comment", "blank"):
        return [f"# {entry.value}" if entry.value else ""]
    if entry.kind == "setting":
        return [_PAIR[form].format(entry.key, entry.value)]
    if entry.kind == "table" and form in ("ini", "systemd"):
        lines = ["", f"[{entry.key}]"]
        for child in entry.children:
            lines += _flat(child, form) if child.kind != "table" else []
        return lines
    if entry.kind == "table" and form == "sshd":
        lines = ["", f"Match User {entry.key}"]
        for child in entry.children:
            lines += ["    " + line for line in _flat(child, form) if child.kind != "table"]
        return lines
    return []


def _nested_lines(children: list[Entry], indent: int, form: str) -> list[str]:
    pad, lines = " " * indent, []
    for entry in children:
        if entry.kind == "comment":
            lines.append(f"{pad}# {entry.value}\n")
        elif entry.kind == "blank":
            lines.append("\n")
        elif entry.kind == "setting" and form == "blocks":
            lines.append(f"{pad}{entry.key} = {entry.value}\n")
        elif entry.kind == "setting":
            remark = f"  # {entry.remark}" if entry.remark else ""
            lines.append(f"{pad}{entry.key} {entry.value};{remark}\n")
        elif entry.kind == "table":
            opening, closing = _around(entry.key, form)
            inner = _nested_lines(entry.children, indent + 4, form)
            lines += [f"{pad}{opening}\n", *inner, f"{pad}{closing}\n"]
    return lines


def _around(key: str, form: str) -> tuple[str, str]:
    if form == "nginx":
        return f"location /{key} {{", "}"
    return (f"<Site {key}>", "</Site>") if int(key[1:]) % 2 else (f"service {key} {{", "}")
