"""What an operator says about an instance beside its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from changeover.errors import ChangeoverError, InvalidInput
from changeover.model.instance import Instance

Asker = Callable[[str, bool], Mapping[str, Any]]
"""Host, and whether to ask as root, -> what Ansible would know of it: `ansible_env` and its like.

Raises where the host cannot be asked.
"""


FACTS = (
    "env", "user_id", "user_dir", "user_shell", "user_uid", "user_gid", "system", "machine",
    "architecture", "kernel", "distribution", "distribution_version", "distribution_release",
    "distribution_major_version", "os_family", "pkg_mgr", "service_mgr", "processor_vcpus",
    "processor_nproc", "memtotal_mb", "hostname", "nodename", "fqdn", "domain", "default_ipv4",
    "all_ipv4_addresses",
)  # fmt: skip
"""What hosts are asked for, as Ansible calls it behind `ansible_` and in `ansible_facts`."""

FORMS = ("@", "{", "[")
"""How words for `-e` begin that are a file of variables, or JSON."""


class Facts:
    """What only hosts can tell, asked when it is needed and of each host once."""

    def __init__(self, ask: Asker | None = None) -> None:
        self.ask = ask
        """None where nobody may be asked now."""
        self.as_root: dict[str, bool] = {}
        self._known: dict[str, Mapping[str, Any]] = {}
        self._silent = False

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """Ask nobody meanwhile: what is wrong with a folder is found without its hosts."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def of(self, host: str) -> Mapping[str, Any] | None:
        """Return the facts of a host; None where nobody may be asked."""
        if host not in self._known and self.ask is not None and not self._silent:
            self._known[host] = self.ask(host, self.as_root.get(host, False))
        return self._known.get(host)


@dataclass(frozen=True)
class Given:
    """What was said on the command line."""

    words: tuple[str, ...] | None = ()
    """`-e` as it was written: `name=value`, `@file`, JSON; none where a command takes none."""
    password_files: tuple[str, ...] = ()
    """`--vault-password-file`."""
    facts: Facts = field(default_factory=Facts)
    incomplete: bool = False
    """Whether variables may be missing: to reach a host, few are needed."""

    locked: bool = False
    """Whether vaults that nobody can open are passed over: what reaches no host needs none."""

    @property
    def named_passwords(self) -> tuple[str, ...]:
        """The words of `--vault-password-file`, as they are true from any folder."""
        return tuple(map(_rooted, self.password_files))

    @property
    def extra(self) -> tuple[str, ...]:
        """The words for `-e`."""
        return self.words or ()

    def refuse_forms(self) -> None:
        """Raise `InvalidInput` for what only an environment of Ansible takes."""
        for word in self.extra:
            if word[:1] in FORMS:
                raise InvalidInput(
                    f"-e {word[:40]}: only an Ansible environment takes this", "--set NAME=VALUE"
                )


def _rooted(word: str) -> str:
    label, at, path = word.partition("@")
    return f"{label}@{_absolute(path)}" if at and not Path(word).exists() else _absolute(word)


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


NOTHING = Given()
_FILE = "given.json"


def known_only(instance: Instance) -> Instance:
    """Return an instance to show, with what only its hosts can tell said so."""
    hosts = {name: replace(host, vars={}) for name, host in instance.hosts.items()}
    if instance.origin == "instance.yaml":
        return instance
    return replace(instance, vars=_told(instance.vars), hosts=hosts)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in values:
        try:
            found[name] = values[name]
        except ChangeoverError as error:
            found[name] = f"({error.message})"
    return found


def keep_given(state: Path, given: Given) -> None:
    """Keep what a run began with, so that `resume` and `undo` see the same variables."""
    file = state / _FILE
    if not given.extra and not given.password_files:
        file.unlink(missing_ok=True)
        return
    half = file.with_suffix(".half")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    words = [f"@{_absolute(w[1:])}" if w[:1] == "@" else w for w in given.extra]
    half.write_text(json.dumps({"extra": words, "password_files": given.named_passwords}))
    half.replace(file)


def completed(given: Given | None, state: Path) -> Given:
    """Return what was said, and where a command takes no `-e`, what the last run began with."""
    if given is not None and given.words is not None:
        return given
    known = recall_given(state)
    return known if given is None else replace(given, words=known.words)


def recall_given(state: Path) -> Given:
    """Return what the last run began with; nothing where it was given nothing."""
    try:
        kept = json.loads((state / _FILE).read_text())
        return Given(tuple(kept["extra"]), tuple(kept["password_files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Given()
