"""The vault passwords of an environment: where they are, read when something must be opened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import InvalidInstance
from changeover.instances.ansible.config import Config
from changeover.instances.ansible.vault import DEFAULT_ID, Password, decrypt
from changeover.sources.program import answered, ending

CONVENTION = "vault-password"
"""The file's name beside or above an environment, where nothing else names one."""

LIMIT = 60.0
"""Seconds a program that prints a password may take."""


@dataclass(frozen=True)
class PasswordFile:
    """A file, or a program, that gives a vault password."""

    path: Path
    label: str = DEFAULT_ID
    named_by: str = ""

    def read(self) -> Password:
        """Read it, or run it where it may be executed; raises `InvalidInstance`."""
        if not self.path.is_file():
            raise InvalidInstance(
                f"{self.path}: no such vault password file (named by {self.named_by})",
                "ask a colleague for it, and keep it out of git",
            )
        executed = os.access(self.path, os.X_OK)
        secret = (self._printed() if executed else self._content()).strip()
        if not secret:
            raise InvalidInstance(f"{self.path}: the vault password is empty", "write it there")
        return Password(secret, self.label, str(self.path))

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise InvalidInstance(f"{self.path}: cannot be read: {error.strerror}") from None

    def _printed(self) -> bytes:
        words = [str(self.path)]
        if self.path.stem.endswith("-client"):
            words += ["--vault-id", self.label]
        try:
            done = answered(words, LIMIT)
        except OSError as error:
            why = error.strerror or "cannot be run"
            raise InvalidInstance(
                f"{self.path}: {why}", f"chmod -x {self.path} if it only holds the password"
            ) from None
        except subprocess.TimeoutExpired:
            raise InvalidInstance(
                f"{self.path}: took more than {LIMIT:.0f} s", "run it yourself: does it wait?"
            ) from None
        if done.returncode:
            raise InvalidInstance(f"{self.path}: {ending(done)}", "run it yourself to see why")
        return done.stdout


class Passwords:
    """The vault passwords of an environment. Nothing is read or run before one is needed."""

    def __init__(self, files: Sequence[PasswordFile]) -> None:
        self.files = tuple(files)
        self._read: list[Password] | None = None

    def all(self) -> Sequence[Password]:
        """Return every password; raises `InvalidInstance` where a named file is missing."""
        if self._read is None:
            self._read = [file.read() for file in self.files]
        return self._read

    def unseal(self, content: bytes, where: str) -> bytes:
        """Open a vault with whichever fits; raises `InvalidInstance`."""
        return decrypt(content, self.all(), where)


def find_passwords(folder: Path, config: Config, given: Sequence[str] = ()) -> Passwords:
    """Find the password files: those given, the convention's, the environment's, ansible.cfg's."""
    files: dict[Path, PasswordFile] = {}
    for file in _named(folder, config, given):
        files.setdefault(file.path, file)
    return Passwords(list(files.values()))


def _named(folder: Path, config: Config, given: Sequence[str]) -> Iterator[PasswordFile]:
    here = Path.cwd()
    for word in given:
        yield _file(word, here, "--vault-password-file")
    for parent in (folder, *config.parents):
        if (parent / CONVENTION).is_file():
            yield PasswordFile(parent / CONVENTION, named_by="its place")
            break
    for variable in ("ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"):
        for word in filter(None, os.environ.get(variable, "").split(",")):
            yield _file(word.strip(), here, variable)
    for key in ("vault_password_file", "vault_identity_list"):
        for word in filter(None, config.text(key).split(",")):
            file = _file(word.strip(), config.folder, f"{config.path}: {key}")
            yield file


def _file(word: str, base: Path, named_by: str) -> PasswordFile:
    label, at, path = word.partition("@")
    if not at or (base / Path(word).expanduser()).exists():
        label, path = DEFAULT_ID, word
    if path in ("prompt", "prompt_ask_vault_pass"):
        raise InvalidInstance(
            f"{named_by}: a vault password asked on the terminal is not read here",
            "write it to a file of mode 0600 that git ignores: --vault-password-file FILE",
        )
    return PasswordFile(base / Path(path).expanduser(), label, named_by)
