"""Secrets of an instance: references resolved when a value is asked for, and not before."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import InvalidInstance
from changeover.instances.agefile import read_secrets
from changeover.model.problem import suggestion
from changeover.sources.program import answered, ending

Learner = Callable[[str], None]
"""Told every value that is resolved, so that it can be masked from then on."""

COMMAND_LIMIT = 60.0
"""Seconds a program that prints a secret may take; it may ask for a PIN."""


def unheard(_value: str) -> None:
    """Forget the value: for whoever shows nothing."""


@dataclass(frozen=True)
class Reference:
    """Where a secret is kept."""

    kind: str
    """`age`, `env`, `file` or `command`; `ansible` for a variable of an environment."""
    words: tuple[str, ...]
    """A path, a variable's name, or the words of a command."""
    key: str = ""
    """Its name inside an age file."""

    def __str__(self) -> str:
        return f"{self.kind}: {' '.join(self.words)}"


Resolver = Callable[[str, Reference], str]
"""Name and reference -> the value; raises `InvalidInstance` where it cannot be had."""


class Secrets(Mapping[str, str]):
    """Name -> value. Values are resolved once, when asked for, and never shown by this object."""

    def __init__(
        self,
        references: Mapping[str, Reference] | None = None,
        folder: Path = Path(),
        learn: Learner = unheard,
        further: Mapping[str, Resolver] | None = None,
        plain: frozenset[str] = frozenset(),
    ) -> None:
        self._further, self._plain = further or {}, plain
        self._references, self._folder, self._learn = dict(references or {}), folder, learn
        self._values: dict[str, str] = {}
        self._files: dict[Path, Mapping[str, str]] = {}
        self._turn = threading.RLock()

    @property
    def references(self) -> Mapping[str, Reference]:
        """Where each secret is kept."""
        return self._references

    def __getitem__(self, name: str) -> str:
        reference = self._references[name]
        with self._turn:
            if name not in self._values:
                value = self._resolved(name, reference)
                # Before anybody can show it; some are kept among secrets and are none.
                if name not in self._plain:
                    self._learn(value)
                self._values[name] = value
            return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._references

    def __iter__(self) -> Iterator[str]:
        return iter(self._references)

    def __len__(self) -> int:
        return len(self._references)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._references))})"

    def reference(self, name: str) -> Reference:
        """Return where a secret is kept."""
        return self._references[name]

    def missing(self) -> dict[str, InvalidInstance]:
        """Try every secret; return those that cannot be had, with the reason."""
        found: dict[str, InvalidInstance] = {}
        for name in self._references:
            try:
                self[name]
            except InvalidInstance as error:
                found[name] = error
        return found

    def _resolved(self, name: str, reference: Reference) -> str:
        resolve: Resolver = {
            **self._further,
            "age": self._from_age,
            "env": _from_environment,
            "file": self._from_file,
            "command": self._from_command,
        }[reference.kind]
        return resolve(name, reference)

    def _from_age(self, name: str, reference: Reference) -> str:
        path = self._folder / Path(reference.words[0]).expanduser()
        if path not in self._files:
            self._files[path] = read_secrets(path)
            for value in self._files[path].values():
                self._learn(value)
        values = self._files[path]
        if reference.key not in values:
            raise InvalidInstance(
                f"secret {name}: {path} has no `{reference.key}`",
                suggestion(reference.key, values)
                + f" (add it: changeover secrets set {reference.key})",
            )
        return values[reference.key]

    def _from_file(self, name: str, reference: Reference) -> str:
        path = self._folder / Path(reference.words[0]).expanduser()
        try:
            return _one_line_less(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            why = "no such file"
        except OSError as error:
            why = error.strerror or "cannot be read"
        except UnicodeDecodeError:
            why = "is not text"
        raise InvalidInstance(f"secret {name}: {path}: {why}", f"write the secret to {path}")

    def _from_command(self, name: str, reference: Reference) -> str:
        shown = " ".join(reference.words)
        try:
            done = answered(reference.words, COMMAND_LIMIT, cwd=self._folder)
        except OSError as error:
            raise InvalidInstance(
                f"secret {name}: `{shown}`: {error.strerror}", "install the program"
            ) from None
        except subprocess.TimeoutExpired:
            raise InvalidInstance(
                f"secret {name}: `{shown}` took more than {COMMAND_LIMIT:.0f} s",
                "run it yourself: does it wait for an answer?",
            ) from None
        if done.returncode:
            raise InvalidInstance(
                f"secret {name}: `{shown}` {ending(done)}", "run it yourself to see why"
            )
        return _one_line_less(done.stdout.decode("utf-8", "replace"))


def _from_environment(name: str, reference: Reference) -> str:
    variable = reference.words[0]
    value = os.environ.get(variable)
    if value is None:
        raise InvalidInstance(
            f"secret {name}: the environment has no {variable}",
            f"set it before you start: read -rs {variable}; export {variable}",
        )
    return value


def _one_line_less(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
