"""Ansible Vault's envelopes, 1.1 and 1.2: opening them and sealing them.

AES-256 in counter mode under keys that PBKDF2 makes of a password, authenticated by an HMAC over
the encrypted bytes. Two sealings of one text differ: each has a salt of its own.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from changeover.errors import InvalidInstance

DEFAULT_ID = "default"
"""The vault id of a password nobody named."""

LARGEST = 64 * 1024 * 1024
"""Characters an envelope may have."""

_MAGIC = "$ANSIBLE_VAULT"
_VERSIONS = ("1.1", "1.2")
_CIPHER = "AES256"
_ROUNDS = 10_000
_KEY, _NONCE, _SALT, _BLOCK, _WIDTH = 32, 16, 32, 16, 80
_LABEL = re.compile(r"[^\s;]+")


class VaultLocked(InvalidInstance):
    """A vault, and not one password at hand."""


@dataclass(frozen=True)
class Password:
    """A vault password and the vault id it is for."""

    secret: bytes
    label: str = DEFAULT_ID
    origin: str = ""
    """Where it was read, for messages."""

    def __repr__(self) -> str:
        return f"Password({self.label}, {self.origin})"


@dataclass(frozen=True)
class Envelope:
    """What the text of a vault says before it is opened."""

    label: str
    """The vault id it was sealed for; empty in format 1.1."""
    salt: bytes
    seal: bytes
    body: bytes


def is_vault(content: bytes | str) -> bool:
    """Say whether a content begins as a vault does."""
    start = content[: len(_MAGIC)]
    return (start.decode("utf-8", "replace") if isinstance(start, bytes) else start) == _MAGIC


def parse_envelope(content: bytes | str, where: str) -> Envelope:
    """Read the header and the hexadecimal lines; raises `InvalidInstance`."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    if len(text) > LARGEST:
        raise InvalidInstance(f"{where}: larger than a vault may be", "split the file")
    header, _, lines = text.strip().partition("\n")
    label = _label(header, where)
    try:
        inner = binascii.unhexlify("".join(lines.split()))
        salt, seal, body = (binascii.unhexlify(part) for part in inner.split(b"\n", 2))
    except ValueError:
        raise InvalidInstance(
            f"{where}: the vault is damaged: its lines are not what was sealed",
            "bring the file back from git",
        ) from None
    return Envelope(label, salt, seal, body)


def decrypt(content: bytes | str, passwords: Sequence[Password], where: str) -> bytes:
    """Open a vault with the first password that fits; raises `InvalidInstance`.

    A password whose vault id is the envelope's is tried before the others, as Ansible does.
    """
    return opened_with(content, passwords, where)[0]


def opened_with(
    content: bytes | str, passwords: Sequence[Password], where: str
) -> tuple[bytes, Password]:
    """Open a vault; return its content and the password that fitted; raises `InvalidInstance`."""
    envelope = parse_envelope(content, where)
    for password in _fitting_first(passwords, envelope.label):
        plain = _opened(envelope, password.secret)
        if plain is not None:
            return plain, password
    raise _unopened(envelope, passwords, where)


def encrypt(plain: bytes, password: Password, label: str = "") -> str:
    """Seal a content: format 1.2 where a vault id is given that is not the default, else 1.1."""
    if label and not _LABEL.fullmatch(label):
        raise InvalidInstance(f"vault id `{label}`: no blank and no `;`", "choose another")
    salt = os.urandom(_SALT)
    key, seal_key, nonce = _keys(password.secret, salt)
    fill = _BLOCK - len(plain) % _BLOCK
    body = _cipher(key, nonce, plain + bytes([fill]) * fill)
    seal = hmac.new(seal_key, body, hashlib.sha256).digest()
    inner = b"\n".join(binascii.hexlify(part) for part in (salt, seal, body))
    outer = binascii.hexlify(inner).decode()
    lines = [outer[i : i + _WIDTH] for i in range(0, len(outer), _WIDTH)]
    return "\n".join([_header(label), *lines, ""])


def _header(label: str) -> str:
    if label and label != DEFAULT_ID:
        return f"{_MAGIC};1.2;{_CIPHER};{label}"
    return f"{_MAGIC};1.1;{_CIPHER}"


def _label(header: str, where: str) -> str:
    words = [word.strip() for word in header.split(";")]
    if words[0] != _MAGIC or len(words) < 3:
        raise InvalidInstance(f"{where}: is not an Ansible vault", "encrypt it: ansible-vault")
    if words[1] not in _VERSIONS or words[2] != _CIPHER:
        raise InvalidInstance(
            f"{where}: a vault of format {words[1]} with {words[2]} is not read here",
            "write it again as 1.1: ansible-vault rekey",
        )
    return words[3] if words[1] == "1.2" and len(words) > 3 else ""


def _fitting_first(passwords: Sequence[Password], label: str) -> Iterator[Password]:
    yield from (p for p in passwords if label and p.label == label)
    yield from (p for p in passwords if not label or p.label != label)


def _opened(envelope: Envelope, secret: bytes) -> bytes | None:
    key, seal_key, nonce = _keys(secret, envelope.salt)
    expected = hmac.new(seal_key, envelope.body, hashlib.sha256).digest()
    if not hmac.compare_digest(expected, envelope.seal):
        return None
    padded = _cipher(key, nonce, envelope.body)
    return padded[: -padded[-1]] if padded else b""


def _keys(secret: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    made = hashlib.pbkdf2_hmac("sha256", secret, salt, _ROUNDS, 2 * _KEY + _NONCE)
    return made[:_KEY], made[_KEY : 2 * _KEY], made[2 * _KEY :]


def _cipher(key: bytes, nonce: bytes, content: bytes) -> bytes:
    # A compiled library that most commands do not need; counter mode is its own inverse.
    ciphers: Any = import_module("cryptography.hazmat.primitives.ciphers")
    turning = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CTR(nonce)).encryptor()
    return bytes(turning.update(content) + turning.finalize())


def _unopened(envelope: Envelope, passwords: Sequence[Password], where: str) -> InvalidInstance:
    wanted = f" for vault id `{envelope.label}`" if envelope.label else ""
    if not passwords:
        return VaultLocked(
            f"{where}: is encrypted, and no vault password{wanted} is at hand",
            "write it to the `vault-password` file, or set ANSIBLE_VAULT_PASSWORD_FILE",
        )
    tried = ", ".join(p.origin or p.label for p in passwords)
    return InvalidInstance(
        f"{where}: no vault password{wanted} opens it (tried: {tried})",
        "ask a colleague for the current password, or bring the file back from git",
    )
