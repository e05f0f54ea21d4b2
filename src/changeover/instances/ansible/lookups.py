"""Ansible's `lookup` and `query`: what a variable asks of this machine when it is rendered."""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.jinja import UndefinedVariable
from changeover.instances.ansible.varfile import read_bytes
from changeover.sources.program import answered, ending

LIMIT = 60.0
"""Seconds a command of `pipe` may take."""


@dataclass(frozen=True)
class Lookups:
    """Looks things up for the templates of one host."""

    names: Mapping[str, Any]
    folder: Path
    """Where files are looked for: the playbook's."""
    opened: Callable[[bytes, str], bytes]
    """Gives a file's content, whether it is a vault or not."""

    def query(self, kind: str, *terms: Any, **options: Any) -> Any:
        """Return everything that was found, as a list. Raises `InvalidInput`."""
        return self.lookup(kind, *terms, **{**options, "wantlist": True})

    def lookup(
        self, kind: str, *terms: Any, wantlist: bool = False, errors: str = "strict", **options: Any
    ) -> Any:
        """Return what was found: texts joined by commas, or the values. Raises `InvalidInput`."""
        try:
            found = self._found(kind.rpartition(".")[2], terms, options)
        except InvalidInput:
            if errors == "strict":
                raise
            return [] if wantlist else None
        if wantlist:
            return found
        if found and all(isinstance(each, str) for each in found):
            return ",".join(found)
        return found[0] if len(found) == 1 else found

    def _found(self, kind: str, terms: Sequence[Any], options: Mapping[str, Any]) -> list[Any]:
        default = options.get("default")
        every: Mapping[str, Callable[[Any], list[Any]]] = {
            "dict": lambda term: [{"key": k, "value": v} for k, v in term.items()],
            "env": lambda term: [os.environ.get(str(term), "" if default is None else default)],
            "file": lambda term: [self._file(str(term))],
            "fileglob": lambda term: self._files(str(term)),
            "first_found": self._first_of,
            "items": lambda term: list(term) if isinstance(term, list | tuple) else [term],
            "lines": lambda term: self._piped(str(term)).splitlines(),
            "list": lambda term: [term],
            "pipe": lambda term: [self._piped(str(term)).rstrip("\n")],
            "vars": lambda term: [self._variable(str(term), default)],
        }
        if kind not in every:
            raise InvalidInstance(
                f"lookup `{kind}` is not done here", f"known: {', '.join(every)}; or give the value"
            )
        if kind == "first_found":
            # Its terms are choices, not questions of their own.
            flat = [c for t in terms for c in (t if isinstance(t, list | tuple) else [t])]
            return every[kind](flat)
        return [each for term in terms for each in every[kind](term)]

    def _variable(self, name: str, default: Any) -> Any:
        if name in self.names:
            return self.names[name]
        if default is None:
            raise UndefinedVariable(name)
        return default

    def _file(self, name: str) -> str:
        place = self._place(name)
        content = self.opened(read_bytes(place), str(place))
        return content.decode("utf-8", "replace").rstrip()

    def _place(self, name: str) -> Path:
        path = Path(name).expanduser()
        places = [self.folder / "files" / path, self.folder / path]
        return next((p for p in places if p.is_file()), places[-1])

    def _files(self, pattern: str) -> list[str]:
        found = glob.glob(str(self.folder / "files" / Path(pattern).expanduser()))  # noqa: PTH207 - a pattern may be absolute
        return sorted(path for path in found if Path(path).is_file())

    def _first_of(self, choices: Sequence[Any]) -> list[Any]:
        names = [name for choice in choices for name in _named(choice)]
        places = [self._place(name) for name in names]
        found = next((str(place) for place in places if place.exists()), None)
        if found:
            return [found]
        if any(isinstance(choice, Mapping) and choice.get("skip") for choice in choices):
            return []
        raise InvalidInstance(f"first_found: none of {', '.join(names)}", "write one of them")

    def _piped(self, line: str) -> str:
        try:
            done = answered(["sh", "-c", line], LIMIT, stdin=b"", cwd=self.folder)
        except subprocess.TimeoutExpired:
            raise InvalidInstance(
                f"lookup `{line}`: took more than {LIMIT:.0f} s", "run it: does it wait?"
            ) from None
        if done.returncode:
            raise InvalidInstance(f"lookup `{line}`: {ending(done)}", "run it yourself to see why")
        return done.stdout.decode("utf-8", "replace")


def _named(choice: Any) -> list[str]:
    """Return the files one choice of `first_found` stands for."""
    if not isinstance(choice, Mapping):
        return [str(choice)]
    files, paths = choice.get("files", []), choice.get("paths", [""])
    many = [[f] if isinstance(f, str) else list(f) for f in (files, paths)]
    return [str(Path(path) / file) for file in many[0] for path in many[1]]
