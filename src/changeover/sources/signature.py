"""Signatures of releases: Ed25519 in a DSSE envelope, made and verified without a network."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from changeover.errors import InvalidInput, InvalidRelease

PAYLOAD_TYPE = "application/vnd.changeover.release.v1+json"
LARGEST_ENVELOPE = 4 * 1024 * 1024
MOST_SIGNATURES = 64


class Untrusted(InvalidRelease):
    """No key that is trusted here signed this release as it is."""


@dataclass(frozen=True)
class PublicKey:
    """A key that releases may be signed with."""

    name: str
    key: Ed25519PublicKey

    @property
    def id(self) -> str:
        """Return the sha256 of the raw key."""
        raw = self.key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return hashlib.sha256(raw).hexdigest()


def keygen(stem: Path, passphrase: str = "") -> tuple[Path, Path]:
    """Write a new key pair as `STEM.key` (mode 0600) and `STEM.pub`; nothing is overwritten."""
    private = Ed25519PrivateKey.generate()
    secret, public = stem.with_name(stem.name + ".key"), stem.with_name(stem.name + ".pub")
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        locked = serialization.BestAvailableEncryption(passphrase.encode())
    pem = serialization.Encoding.PEM
    text = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, locked)
    shown = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    for file, content, mode in ((secret, text, 0o600), (public, shown, 0o644)):
        try:
            descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        except OSError as e:
            raise InvalidInput(f"{file}: {e.strerror}", "choose another name or folder") from None
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
    return secret, public


def read_private(file: Path, passphrase: str = "") -> Ed25519PrivateKey:
    """Read a private key; raises `InvalidInput`."""
    try:
        key = serialization.load_pem_private_key(
            _read(file), passphrase.encode() if passphrase else None
        )
    except TypeError:
        raise InvalidInput(f"{file}: locked with a passphrase", "give it when asked") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(f"{file}: not a private key, or a wrong passphrase", _MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(f"{file}: not an Ed25519 key", _MAKE)
    return key


def read_public(paths: Iterable[Path]) -> list[PublicKey]:
    """Read public keys from files, and from `*.pub` in folders; raises `InvalidInput`."""
    files = [f for p in paths for f in (sorted(p.glob("*.pub")) if p.is_dir() else [p])]
    return [PublicKey(f.name, _public(f)) for f in files]


def sign(payload: bytes, keys: Sequence[Ed25519PrivateKey], old: str = "") -> str:
    """Return an envelope with these signatures, beside an old one's over the same payload."""
    signatures = {}
    if old:
        kept = _parsed(old)
        if kept[0] == payload:
            signatures = {s["keyid"]: s["sig"] for s in kept[1]}
    for key in keys:
        made = base64.b64encode(key.sign(_encoded(payload))).decode()
        signatures[PublicKey("", key.public_key()).id] = made
    tree = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": i, "sig": s} for i, s in sorted(signatures.items())],
    }
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def verify(envelope: str, trusted: Sequence[PublicKey], where: str) -> tuple[bytes, list[str]]:
    """Return the payload and the names of the trusted keys that signed it; raises `Untrusted`."""
    if not trusted:
        raise Untrusted(f"{where}: no key is trusted here", "name the vendor's key: --key FILE.pub")
    payload, signatures = _parsed(envelope, where)
    by_id = {key.id: key for key in trusted}
    good = [by_id[s["keyid"]].name for s in signatures if _holds(s, by_id, payload)]
    if not good:
        signers = ", ".join(s["keyid"][:12] for s in signatures) or "nobody"
        known = ", ".join(f"{k.name} ({k.id[:12]})" for k in trusted)
        raise Untrusted(
            f"{where}: signed by {signers}; trusted are {known}",
            "ask the vendor whether its key has changed, and compare it by telephone",
        )
    return payload, good


def _holds(signature: dict[str, str], keys: dict[str, PublicKey], payload: bytes) -> bool:
    key = keys.get(signature["keyid"])
    if key is None:
        return False
    try:
        key.key.verify(base64.b64decode(signature["sig"], validate=True), _encoded(payload))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _encoded(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: type and payload, each with its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _parsed(envelope: str, where: str = "envelope") -> tuple[bytes, list[dict[str, str]]]:
    broken = Untrusted(f"{where}: its signature envelope is broken", "fetch the release again")
    if len(envelope) > LARGEST_ENVELOPE:
        raise broken
    try:
        tree: Any = json.loads(envelope)
        payload = base64.b64decode(tree["payload"], validate=True)
        signatures = [
            {"keyid": str(s["keyid"]), "sig": str(s["sig"])}
            for s in tree["signatures"][:MOST_SIGNATURES]
        ]
        kind = tree["payloadType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise broken from None
    if kind != PAYLOAD_TYPE:
        raise broken
    return payload, signatures


def _public(file: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(_read(file))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidInput(f"{file}: not a public key", _MAKE) from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(f"{file}: not an Ed25519 key", _MAKE)
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise InvalidInput(f"{file}: {e.strerror}", "check the path") from None


_MAKE = "changeover release keygen makes one"
