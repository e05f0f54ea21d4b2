"""What an operator says about an instance beside its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Asker = Callable[[str, bool], Mapping[str, Any]]
"""Host, and whether to ask as root, -> what Ansible would know of it: `ansible_env` and its like.

Raises where the host cannot be asked.
"""


class Facts:
    """What only hosts can tell, asked when it is needed and of each host once."""

    def __init__(self, ask: Asker | None = None) -> None:
        self.ask = ask
        """None where nobody may be asked now."""
        self.as_root: dict[str, bool] = {}
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, host: str) -> Mapping[str, Any] | None:
        """Return the facts of a host; None where nobody may be asked."""
        if host not in self._known and self.ask is not None:
            self._known[host] = self.ask(host, self.as_root.get(host, False))
        return self._known.get(host)


@dataclass(frozen=True)
class Given:
    """What was said on the command line."""

    extra: tuple[str, ...] = ()
    """`-e` as it was written: `name=value`, `@file`, JSON."""
    password_files: tuple[str, ...] = ()
    """`--vault-password-file`."""
    facts: Facts = field(default_factory=Facts)


NOTHING = Given()
