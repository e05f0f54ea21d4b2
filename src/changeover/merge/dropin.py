"""systemd drop-ins: what a unit says beyond the vendor's, in lines that reset what they replace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from changeover.merge.layers import COMMANDS
from changeover.merge.tree import Block, Key, Value

_DEPENDENCIES = frozenset((
    "After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds",
    "Conflicts", "OnFailure", "OnSuccess",
))  # fmt: skip
"""Lists of words that an empty assignment does not reset."""
_IGNORED = "Install"
"""The section that `systemctl enable` reads in units alone."""

Remarks = Mapping[Key, tuple[str, ...]]
"""Comments above a directive, by section and name."""


@dataclass
class DropIn:
    """Writes a drop-in; collects what it cannot say."""

    theirs: Mapping[str, Value]
    remarks: Remarks
    unsaid: list[Key] = field(default_factory=list)

    def lines(self, ours: Mapping[str, Value]) -> Iterator[str]:
        """Yield the lines of a drop-in that makes the vendor's unit mean what ours means."""
        for section, settings in ours.items():
            vendor = self.theirs.get(section, {})
            if not isinstance(settings, dict) or not isinstance(vendor, dict):
                continue
            found: list[str] = []
            for key, value in settings.items():
                if vendor.get(key) != value:
                    found += self._directive((section, key), vendor.get(key), value)
            found += self._gone(section, vendor, settings)
            if found:
                yield f"[{section}]"
                yield from found
        self.unsaid += [
            (name,) for name, found in self.theirs.items() if name not in ours and found
        ]

    def _directive(self, path: Key, old: Value | None, new: Value) -> Iterator[str]:
        section, key = path
        if section == _IGNORED:
            self.unsaid.append(path)
            return
        yield from self.remarks.get(path, ())
        if isinstance(new, dict):
            yield from self._variables(path, old if isinstance(old, dict) else {}, new)
        elif isinstance(new, list) or isinstance(old, list) or key.startswith(COMMANDS):
            yield from self._listed(path, _list(old), _list(new))
        else:
            yield f"{key}={_text(new)}"

    def _variables(
        self, path: Key, old: Mapping[str, Value], new: dict[str, Value]
    ) -> Iterator[str]:
        for name, value in new.items():
            if old.get(name) != value:
                yield f'{path[1]}="{name}={_text(value)}"'
        gone = [name for name in old if name not in new]
        if gone:
            yield f"UnsetEnvironment={' '.join(gone)}"

    def _listed(self, path: Key, old: list[Value], new: list[Value]) -> Iterator[str]:
        key = path[1]
        lost = [value for value in old if value not in new]
        if key in _DEPENDENCIES:
            self.unsaid += [(*path, _text(value)) for value in lost]
        elif old and (lost or key.startswith(COMMANDS)):
            yield f"{key}="
            old = []
        for value in new:
            if value not in old and value != "":
                yield f"{key}={_text(value)}"

    def _gone(
        self, section: str, vendor: Mapping[str, Value], ours: Mapping[str, Value]
    ) -> Iterator[str]:
        for key, value in vendor.items():
            if key in ours:
                continue
            if isinstance(value, dict):
                yield f"UnsetEnvironment={' '.join(value)}"
            elif key.startswith(COMMANDS):
                yield f"{key}="
            else:
                self.unsaid.append((section, key))


def remarks_of(tree: Block, known: frozenset[str]) -> Remarks:
    """Return the comments above each directive that the vendor's unit does not have."""
    found: dict[Key, tuple[str, ...]] = {}
    for section in tree.entries:
        above: list[str] = []
        inner = section.value.items if isinstance(section.value, Block) else []
        for item in inner:
            if item.kind == "comment" and item.head.strip() not in known:
                above.append(item.head.strip())
            elif item.value is not None:
                path = (*section.key, item.group or "")
                found[path] = (*found.get(path, ()), *above)
                above = []
    return found


def _list(value: Value | None) -> list[Value]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: Value) -> str:
    return value if isinstance(value, str) else str(getattr(value, "text", value))
