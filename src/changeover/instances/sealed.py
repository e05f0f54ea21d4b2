"""Encrypted files, whatever sealed them: the kind is told by the content."""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import InvalidInstance, NotReady
from changeover.instances import agefile
from changeover.instances.ansible import vault
from changeover.instances.ansible.config import find_config
from changeover.instances.ansible.password import PasswordFile, find_passwords


class Kind(enum.StrEnum):
    """What sealed a file."""

    AGE = "age"
    VAULT = "vault"
    """Ansible Vault."""
    PLAIN = "plain"


_AGE = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


@dataclass(frozen=True)
class Opened:
    """What was in a file, and how it was sealed."""

    content: bytes
    kind: Kind
    label: str = ""
    """The vault id in the header."""
    password: vault.Password | None = None

    def text(self, shown: str) -> str:
        """Return the content as text; raises `InvalidInstance`."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidInstance(f"{shown}: holds no text", "use `secrets decrypt`") from None


def kind_of(content: bytes) -> Kind:
    """Tell what sealed a content."""
    start = content.lstrip()[:64]
    if vault.is_vault(start):
        return Kind.VAULT
    return Kind.AGE if start.startswith(_AGE) else Kind.PLAIN


def kind_beside(folder: Path, named: Sequence[str] = ()) -> Kind:
    """Return how a new file of a folder is to be sealed: as what is at hand there says."""
    if any((folder / name).is_file() for name in (agefile.KEY, agefile.RECIPIENTS)):
        return Kind.AGE
    return Kind.VAULT if password_files(folder, named) else Kind.AGE


def password_files(folder: Path, named: Sequence[str] = ()) -> Sequence[PasswordFile]:
    """Return the files with passwords of vaults in a folder: those named, then where Ansible looks.

    `named` are words of `--vault-password-file`: a path, or `ID@PATH`.
    """
    near = folder.absolute()
    return find_passwords(near, find_config(near), named).files


def passwords(folder: Path, named: Sequence[str] = ()) -> list[vault.Password]:
    """Read every password that may open vaults in a folder."""
    return [file.read() for file in password_files(folder, named)]


def open_sealed(path: Path, named: Sequence[str] = ()) -> Opened:
    """Read a file, decrypted where it is sealed; raises `InvalidInstance`."""
    content = read_bytes(path)
    return unsealed(content, path, named)


def unsealed(content: bytes, path: Path, named: Sequence[str] = ()) -> Opened:
    """Open what stands, or once stood, in a file."""
    kind = kind_of(content)
    if kind is Kind.AGE:
        return Opened(agefile.opened(content, path), kind)
    if kind is Kind.VAULT:
        keys = passwords(path.parent, named)
        label = vault.parse_envelope(content, str(path)).label
        plain, password = vault.opened_with(content, keys, str(path))
        return Opened(plain, kind, label, password)
    return Opened(content, kind)


def write_sealed(path: Path, sealed: Opened) -> None:
    """Seal a content as it says and replace the file in one rename."""
    if sealed.kind is Kind.AGE:
        replace_file(path, agefile.sealed(sealed.content, path.parent))
    elif sealed.kind is Kind.VAULT:
        if sealed.password is None:
            raise NotReady(
                f"{path}: no vault password is at hand",
                "write it to a file `vault-password`, or name one: --vault-password-file",
            )
        replace_file(path, vault.encrypt(sealed.content, sealed.password, sealed.label).encode())
    else:
        replace_file(path, sealed.content)


def read_bytes(path: Path) -> bytes:
    """Read a file; raises `InvalidInstance`."""
    if path.is_fifo():
        raise InvalidInstance(f"{path}: is a pipe, not a file", "put the file itself there")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidInstance(
            f"{path}: no such file", "create it: changeover secrets edit"
        ) from None
    except OSError as error:
        raise InvalidInstance(f"{path}: cannot be read: {error.strerror}") from None


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file in one rename; it keeps its mode, a new one gets `mode`."""
    real = path.resolve()
    fresh = real.with_name(f".{real.name}.{os.getpid()}")
    try:
        wanted = stat.S_IMODE(real.stat().st_mode) if real.exists() else mode
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(wanted)
        fresh.replace(real)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise InvalidInstance(f"{path}: cannot be written: {error.strerror}") from error
