"""Finding the password of an Ansible vault, where Ansible and the manuals of platforms look."""

from __future__ import annotations

import configparser
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import InvalidInstance
from changeover.instances.ansible.vault import DEFAULT_ID, Password

BESIDE = ("vault-password", ".vault-password", "vault_password", ".vault_pass", "vault_pass.txt")
"""Names of password files looked for in the folder of a vault and in those above it."""

SCRIPT_LIMIT = 60.0
"""Seconds an executable password file may take; it may ask for a PIN."""


@dataclass(frozen=True)
class PasswordFile:
    """A file that holds, or that prints, the password of a vault id."""

    path: Path
    label: str = DEFAULT_ID

    def password(self) -> Password:
        """Read it; one that is executable is executed, as Ansible does."""
        secret = self._printed() if os.access(self.path, os.X_OK) else self._kept()
        if not secret:
            raise InvalidInstance(f"{self.path}: the password is empty", "write it there")
        return Password(secret, self.label, str(self.path))

    def _kept(self) -> bytes:
        try:
            return self.path.read_bytes().strip()
        except OSError as error:
            raise InvalidInstance(
                f"{self.path}: the vault password cannot be read: {error.strerror}",
                "ask a colleague for it, and keep it there with mode 0600",
            ) from None

    def _printed(self) -> bytes:
        words = [str(self.path.absolute())]
        if self.path.stem.endswith("-client"):
            words += ["--vault-id", self.label]
        try:
            done = subprocess.run(words, capture_output=True, timeout=SCRIPT_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InvalidInstance(
                f"{self.path}: cannot be executed: {error}", "chmod -x it if it holds the password"
            ) from None
        if done.returncode:
            raise InvalidInstance(
                f"{self.path}: exited {done.returncode}, and should print the vault password",
                "run it yourself; chmod -x it if it holds the password",
            )
        return done.stdout.strip()


def password_files(near: Path, named: Sequence[str] = ()) -> list[PasswordFile]:
    """Return the password files for vaults in a folder, those that count most first.

    `named` are words of `--vault-password-file`: a path, or `ID@PATH`. Then come
    `ANSIBLE_VAULT_PASSWORD_FILE` and `ANSIBLE_VAULT_IDENTITY_LIST`, the nearest `ansible.cfg`, and
    a file called `vault-password` here or above.
    """
    if named:
        return [_identity(word, Path()) for word in named]
    return list(dict.fromkeys((*_from_environment(), *_from_settings(near), *_beside(near))))


def passwords(near: Path, named: Sequence[str] = ()) -> list[Password]:
    """Read every password that may open vaults in a folder; raise where a named one is missing."""
    return [file.password() for file in password_files(near, named)]


def _from_environment() -> Iterator[PasswordFile]:
    listed = os.environ.get("ANSIBLE_VAULT_IDENTITY_LIST", "")
    for word in (*listed.split(","), os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE", "")):
        if word.strip():
            yield _identity(word.strip(), Path())


def _from_settings(near: Path) -> Iterator[PasswordFile]:
    file = next((f / "ansible.cfg" for f in _upwards(near) if (f / "ansible.cfg").is_file()), None)
    if file is None:
        return
    settings = configparser.RawConfigParser(strict=False, inline_comment_prefixes=(";",))
    try:
        settings.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InvalidInstance(f"{file}: cannot be read: {error}", "correct the file") from None
    listed = settings.get("defaults", "vault_identity_list", fallback="").split(",")
    for word in (*listed, settings.get("defaults", "vault_password_file", fallback="")):
        if word.strip():
            yield _identity(word.strip(), file.parent)


def _beside(near: Path) -> Iterator[PasswordFile]:
    for folder in _upwards(near):
        found = [folder / name for name in BESIDE if (folder / name).is_file()]
        if found:
            yield PasswordFile(found[0])
            return


def _upwards(near: Path) -> Iterator[Path]:
    """Yield the folder and those above it, up to the top of its repository."""
    here = near.absolute()
    for folder in (here, *here.parents):
        yield folder
        if (folder / ".git").exists():
            return


def _identity(word: str, base: Path) -> PasswordFile:
    label, at, path = word.rpartition("@")
    return PasswordFile(base / Path(path).expanduser(), label if at and label else DEFAULT_ID)
