"""Credentials as users have them: Docker's and Podman's files, helpers, identity tokens."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.sources.oci.fault import Denied
from changeover.sources.oci.reference import HUB

HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = (HUB, "index.docker.io", "registry-1.docker.io")
_HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")
HELPER_SECONDS = 60


@dataclass(frozen=True)
class Credential:
    """A user with a password, or a token that stands for one."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    """Exchanged for access tokens at the realm."""
    registry_token: str = field(default="", repr=False)
    """Sent as it is."""

    @property
    def basic(self) -> str:
        """Return the value of a basic Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(s for s in (self.password, self.identity_token, self.registry_token) if s)


Ask = Callable[[str, str], Credential | None]
"""Asks the helper of a name about a server."""


class Keyring:
    """Finds the credential for a repository: given ones first, then the user's files."""

    def __init__(
        self,
        environ: Mapping[str, str],
        given: Mapping[str, Credential] | None = None,
        ask: Ask | None = None,
    ) -> None:
        # Not copied: an instance's secrets are resolved when they are asked for.
        self._given = given if given is not None else {}
        self._files = tuple(auth_files(environ))
        self._ask = ask or ask_helper
        self._found: dict[tuple[str, str], Credential | None] = {}
        self._lock = threading.Lock()

    def find(self, host: str, repository: str = "") -> Credential | None:
        """Return the credential for a repository; raises `Denied` where a file is broken."""
        with self._lock:
            key = (host, repository)
            if key not in self._found:
                self._found[key] = self._search(host, repository)
            return self._found[key]

    def _search(self, host: str, repository: str) -> Credential | None:
        for scope in scopes(host, repository):
            if scope in self._given:
                return self._given[scope]
        for file in self._files:
            found = self._in_file(file, host, repository)
            if found:
                return found
        return None

    def _in_file(self, file: Path, host: str, repository: str) -> Credential | None:
        tree = _read(file)
        server = HUB_KEY if host == HUB else host
        helpers = _section(tree, "credHelpers")
        for name in (helpers.get(k) for k in scopes(host, repository)):
            if isinstance(name, str) and (found := self._ask(name, server)):
                return found
        store = tree.get("credsStore")
        if isinstance(store, str) and store and (found := self._ask(store, server)):
            return found
        auths = {_normal(str(k)): v for k, v in _section(tree, "auths").items()}
        for scope in scopes(host, repository):
            entry = auths.get(scope)
            if isinstance(entry, dict) and (found := _entry(entry, file, scope)):
                return found
        return None


def scopes(host: str, repository: str) -> Iterator[str]:
    """Yield the keys that may hold a repository's credential, the most precise one first."""
    hosts = _HUB_NAMES if host == HUB else (host,)
    parts = repository.split("/") if repository else []
    for length in range(len(parts), -1, -1):
        for name in hosts:
            yield "/".join((name, *parts[:length]))


def auth_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files credentials are looked up in, in order."""
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
        return
    home = Path(environ.get("HOME") or "~").expanduser()
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def ask_helper(name: str, server: str) -> Credential | None:
    """Ask `docker-credential-NAME` about a server; raises `Denied` where it cannot be run."""
    if not _HELPER_NAME.fullmatch(name):
        raise Denied(f"credential helper {name!r}: not a name", "correct Docker's config.json")
    import subprocess  # noqa: PLC0415 - most credentials stand in files

    from changeover.sources.program import answered  # noqa: PLC0415 - the same

    program = f"docker-credential-{name}"
    try:
        done = answered([program, "get"], HELPER_SECONDS, stdin=server.encode())
    except OSError as e:
        raise Denied(f"{program}: {e.strerror}", "install it, or docker login again") from None
    except subprocess.TimeoutExpired:
        raise Denied(f"{program}: no answer in {HELPER_SECONDS} s", "run it by hand") from None
    if done.returncode != 0:
        return None
    try:
        tree = json.loads(done.stdout)
        user, secret = str(tree["Username"]), str(tree["Secret"])
    except (ValueError, KeyError, TypeError):
        raise Denied(f"{program}: did not answer with a user and a secret", "") from None
    if user == "<token>":
        return Credential(identity_token=secret)
    return Credential(user, secret)


def _read(file: Path) -> dict[str, Any]:
    try:
        tree = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as e:
        raise Denied(f"{file}: {e.strerror}", "make it readable for you") from None
    except (ValueError, RecursionError):
        raise Denied(f"{file}: not JSON", "docker login writes a new one") from None
    if not isinstance(tree, dict):
        raise Denied(f"{file}: not a mapping", "docker login writes a new one")
    return tree


def _section(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _normal(key: str) -> str:
    key = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    return key.removesuffix("/v1").removesuffix("/v2")


def _entry(entry: dict[str, Any], file: Path, scope: str) -> Credential | None:
    if entry.get("identitytoken"):
        return Credential(identity_token=str(entry["identitytoken"]))
    if entry.get("registrytoken"):
        return Credential(registry_token=str(entry["registrytoken"]))
    if entry.get("auth"):
        try:
            pair = base64.b64decode(str(entry["auth"]), validate=True).decode()
            user, colon, password = pair.rstrip("\0").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, colon, password = "", "", ""
        if not colon:
            raise Denied(f"{file}: auths: {scope}: not base64 of user:password", "log in again")
        return Credential(user, password)
    if entry.get("username"):
        return Credential(str(entry["username"]), str(entry.get("password", "")))
    return None
