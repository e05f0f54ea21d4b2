"""Age files of `name: value` lines: reading and writing them, and finding the key."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.sources.yamltext import quoted
from changeover.sources.yamltree import parse_tree

KEY = "age.key"
RECIPIENTS = "age.recipients"
"""Public keys of colleagues who may read the file, one a line, kept in git beside it."""

_NO_KEY = "No matching keys"
"""What age says of a whole file that is for somebody else; anything else is about the file."""

SSH_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_rsa")


def read_secrets(path: Path) -> dict[str, str]:
    """Decrypt an age file; raise `InvalidInstance` where it, its key or its text is wrong."""
    return parse_secrets(decrypted(path), str(path))


def parse_secrets(text: str, shown: str) -> dict[str, str]:
    """Read `name: value` lines; numbers and words such as `true` stay as they are written."""
    try:
        tree = parse_tree(text, shown)
    except InvalidInput as error:
        raise InvalidInstance(error.message, "mend it: changeover secrets edit") from None
    if tree.value is None:
        return {}
    if not isinstance(tree.value, dict):
        raise InvalidInstance(f"{shown}: must be `name: value` lines", "changeover secrets edit")
    values: dict[str, str] = {}
    for name, value in tree.value.items():
        if not isinstance(value, str) and not tree.raw((name,)) and value is not None:
            raise InvalidInstance(
                f"{tree.where((name,))}: `{name}` must be one value", "put it in quotes"
            )
        values[name] = value if isinstance(value, str) else tree.raw((name,))
    return values


def secrets_text(values: Mapping[str, str]) -> str:
    """Write `name: value` lines; JSON strings are YAML, whatever a value holds."""
    lines = [f"{name}: {quoted(value)}\n" for name, value in values.items()]
    return "".join(lines)


def decrypted(path: Path) -> str:
    """Return the text in an age file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInstance(
            f"{path}: no such file", "create it: changeover secrets edit"
        ) from None
    except OSError as error:
        raise InvalidInstance(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return opened(content, path).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInstance(f"{path}: holds no text", "changeover secrets edit") from None


def opened(content: bytes, path: Path) -> bytes:
    """Return what is in an age envelope, opened with the keys at hand for that path."""
    pyrage = _pyrage()
    keys = identities(path.parent)
    try:
        plain: bytes = pyrage.decrypt(content, [key for _, key in keys])
    except pyrage.DecryptError as error:
        raise _unopened(path, str(error), ", ".join(name for name, _ in keys)) from None
    return plain


def _unopened(path: Path, why: str, tried: str) -> InvalidInstance:
    if _NO_KEY in why:
        return InvalidInstance(
            f"{path}: cannot be decrypted: {why} (tried: {tried})",
            "set CHANGEOVER_AGE_KEY_FILE to the right key, or ask a colleague to add yours to "
            + RECIPIENTS,
        )
    return InvalidInstance(
        f"{path}: cannot be decrypted: it is damaged or cut: {why.partition(chr(10))[0]}",
        f"no key opens it: bring it back: git log -- {path.name}; git checkout COMMIT {path.name}",
    )


def sealed(plain: bytes, folder: Path) -> bytes:
    """Return an age envelope for the recipients of a folder."""
    envelope: bytes = _pyrage().encrypt(plain, recipients(folder), armored=True)
    return envelope


def write_encrypted(path: Path, text: str) -> None:
    """Encrypt a text for its recipients and replace the file in one rename."""
    content = sealed(text.encode(), path.parent)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise InvalidInstance(f"{path}: cannot be written: {error.strerror}") from error


def make_key(folder: Path) -> tuple[Path, str]:
    """Make `age.key` (mode 0600, never over one that is there); return it and its public key."""
    pyrage = _pyrage()
    path = folder / KEY
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        if path.is_file() and not path.stat().st_size:
            path.unlink()  # whoever made it was killed before its one write
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InvalidInstance(f"{path}: is there already", "use it, or move it away") from None
    except OSError as error:
        raise InvalidInstance(
            f"{path}: cannot be written: {error.strerror}", "name a folder with -i"
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(f"# public key: {public}\n{identity}\n")
    return path, public


def identities(folder: Path) -> Sequence[tuple[str, Any]]:
    """Return the keys at hand, each with where it is from; raise where there is none."""
    named = os.environ.get("CHANGEOVER_AGE_KEY_FILE")
    if named:
        return _keys_in(Path(named).expanduser())
    beside = folder / KEY
    if beside.is_file():
        return _keys_in(beside)
    found = [key for path in SSH_KEYS for key in _ssh_key(Path(path).expanduser())]
    if not found:
        raise InvalidInstance(
            f"no key to decrypt with: no {beside}, no SSH key without passphrase",
            "set CHANGEOVER_AGE_KEY_FILE, or make a key: changeover secrets key",
        )
    return found


def recipients(folder: Path) -> Sequence[Any]:
    """Return whom to encrypt for: those listed beside the file, and the key at hand."""
    listed = folder / RECIPIENTS
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    named = [_recipient(w.strip(), listed) for w in lines if w.strip() and w.strip()[0] != "#"]
    own = [key.to_public() for _, key in identities(folder) if hasattr(key, "to_public")]
    if not named and not own:
        raise InvalidInstance(f"{listed}: no public key is known", "write yours there, one a line")
    return [*named, *own]


def _pyrage() -> Any:
    # A compiled library without types that most commands do not need.
    return import_module("pyrage")


def _recipient(line: str, listed: Path) -> Any:
    pyrage = _pyrage()
    kind = pyrage.ssh if line.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(line)
    except pyrage.RecipientError as error:
        raise InvalidInstance(
            f"{listed}: `{line[:40]}` is not a public key: {error}",
            "write age1... or ssh-ed25519 ...",
        ) from None


def _keys_in(path: Path) -> list[tuple[str, Any]]:
    pyrage = _pyrage()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInstance(
            f"{path}: cannot be read: {error.strerror}", "correct CHANGEOVER_AGE_KEY_FILE"
        ) from None
    if content.startswith(b"-----BEGIN"):
        return _ssh_key(path)
    lines = [w.strip() for w in content.decode("utf-8", "replace").splitlines()]
    try:
        found = [
            (str(path), pyrage.x25519.Identity.from_str(line))
            for line in lines
            if line and not line.startswith("#")
        ]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise InvalidInstance(f"{path}: holds no age key", "it should hold AGE-SECRET-KEY-1...")
    return found


def _ssh_key(path: Path) -> list[tuple[str, Any]]:
    pyrage = _pyrage()
    try:
        return [(str(path), pyrage.ssh.Identity.from_buffer(path.read_bytes()))]
    except (OSError, pyrage.IdentityError):
        return []
