"""Whether a host answers; where it does not, at which stage of the way the trouble is.

`ssh` ends with 255 whatever went wrong, and its words change with versions and languages. So the
stages are walked one by one, and each is judged by something other than words.
"""

from __future__ import annotations

import enum
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from changeover.errors import ChangeoverError
from changeover.hosts.command import shell
from changeover.hosts.connect import connect
from changeover.hosts.reach import Password
from changeover.hosts.ssh import ssh_words
from changeover.model.instance import HostSpec
from changeover.model.secret import Masker

PATIENCE = 10.0
"""Seconds for each stage."""
MARK = "changeover-was-here"


class Trouble(enum.StrEnum):
    """Why a host does not answer: the stage of the way that fails."""

    NONE = ""
    NAME = "name"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NETWORK = "network"
    NO_SSHD = "no-sshd"
    TURNED_AWAY = "turned-away"
    HOST_KEY = "host-key"
    AUTH = "auth"
    SHELL = "shell"
    SUDO = "sudo"
    OTHER = "other"


_PIPE = "UNKNOWN port 65535"
"""How `ssh` names the other end where it came through `ProxyJump` or `ProxyCommand`."""


@dataclass(frozen=True)
class Pong:
    """What came back from a host."""

    host: str
    trouble: Trouble = Trouble.NONE
    said: str = ""
    """Who we are there and what it runs; or what is wrong."""
    remedy: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Way:
    """Where `ssh` would go, as its own configuration says."""

    settings: Mapping[str, str]

    @property
    def place(self) -> tuple[str, int]:
        return self.settings.get("hostname", ""), int(self.settings.get("port", "22"))

    @property
    def direct(self) -> bool:
        jump, proxy = (self.settings.get(k, "none") for k in ("proxyjump", "proxycommand"))
        return jump == proxy == "none"

    @property
    def shown(self) -> str:
        return ":".join(map(str, self.place))


def ping(
    spec: HostSpec, password: Password | str | None = None, masker: Masker | None = None
) -> Pong:
    """Ask a host who we are there; where it does not answer, find out why. Never raises."""
    began = time.monotonic()
    try:
        said = _asked(spec, password, masker)
    except ChangeoverError as error:
        found = _stage(spec, error)
        return replace(found, seconds=time.monotonic() - began)
    return Pong(spec.name, Trouble.NONE, said, "", time.monotonic() - began)


def _asked(spec: HostSpec, password: Password | str | None, masker: Masker | None) -> str:
    host = connect(spec, password=password, masker=masker)
    script = 'printf "%s" "$(id -un)"; . /etc/os-release && printf ", %s" "$PRETTY_NAME"'
    try:
        return host.do(shell(script), timeout=3 * PATIENCE)
    finally:
        host.transport.close()


def _stage(spec: HostSpec, error: ChangeoverError) -> Pong:
    """Return the first stage that fails; `error` where all that can be walked alone are well."""
    if spec.transport != "ssh":
        return Pong(spec.name, Trouble.OTHER, error.message, error.remedy)
    try:
        way = _way(spec)
    except (OSError, ChangeoverError) as wrong:
        return Pong(spec.name, Trouble.OTHER, str(wrong), "install and configure OpenSSH's client")
    found = (_unreached(spec, way) or _strange_key(spec, way)) if way.direct else None
    return found or _not_let_in(spec, way, error)


def _unreached(spec: HostSpec, way: _Way) -> Pong | None:
    name, port = way.place
    try:
        socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        return Pong(
            spec.name,
            Trouble.NAME,
            f"the name {name} is not known",
            "correct `address`, or write the name into DNS",
        )
    try:
        with socket.create_connection((name, port), timeout=PATIENCE) as line:
            line.settimeout(PATIENCE)
            greeting = line.recv(64)
    except ConnectionRefusedError:
        return Pong(
            spec.name,
            Trouble.REFUSED,
            f"{way.shown} refuses connections",
            "is sshd running there, and is that its port?",
        )
    except TimeoutError:
        return Pong(
            spec.name,
            Trouble.TIMEOUT,
            f"{way.shown} did not answer in {PATIENCE:.0f} s",
            "is it up? a firewall may drop packets; a jump host is set by `ProxyJump`",
        )
    except OSError as error:
        return Pong(
            spec.name,
            Trouble.NETWORK,
            f"{way.shown}: {error.strerror or error}",
            "look at the network between here and there",
        )
    return _greeted(spec, way, greeting)


def _greeted(spec: HostSpec, way: _Way, greeting: bytes) -> Pong | None:
    if greeting.startswith(b"SSH-"):
        return None
    # OpenSSH 9.8 and newer (PerSourcePenalties in sshd_config).
    if greeting.startswith(b"Not allowed at this time"):
        return Pong(
            spec.name,
            Trouble.TURNED_AWAY,
            f"sshd at {way.shown} turns this machine away for a while: logins from here failed",
            "wait some minutes; or have sshd's PerSourcePenaltyExemptList name this machine",
        )
    return Pong(
        spec.name, Trouble.NO_SSHD, f"what listens at {way.shown} is no sshd", "correct `port`"
    )


def _strange_key(spec: HostSpec, way: _Way) -> Pong | None:
    """Compare the keys the host shows with those this machine knows it by."""
    name, port = way.place
    alias = way.settings.get("hostkeyalias", "none")
    called = alias if alias != "none" else name if port == 22 else f"[{name}]:{port}"
    known = {key for file in _known_files(way) for key in _known(called, file)}
    shown = _shown_keys(name, port)
    if known & shown or not shown:
        return None
    if known:
        return Pong(
            spec.name,
            Trouble.HOST_KEY,
            f"{called} shows another host key than it did",
            "find out why before anything else: it may be another machine",
        )
    return Pong(
        spec.name,
        Trouble.HOST_KEY,
        f"the host key of {called} is not known here",
        "compare it with what the host's console shows, then connect once with ssh",
    )


def _not_let_in(spec: HostSpec, way: _Way, error: ChangeoverError) -> Pong:
    try:
        done = subprocess.run(
            [*ssh_words(spec), f"exec /bin/sh -c 'echo {MARK}'"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=3 * PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired, ChangeoverError):
        return Pong(spec.name, Trouble.TIMEOUT, error.message, error.remedy)
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").strip().splitlines()]
    last = lines[-1] if lines else ""
    if done.returncode == 255 and not way.direct and last.endswith(_PIPE):
        return Pong(
            spec.name,
            Trouble.NETWORK,
            f"{way.shown} is not reached through its jump host: {lines[0]}",
            f"does the jump host let you in? `ssh -v {spec.address or spec.name}` shows where",
        )
    if done.returncode == 255:
        return Pong(
            spec.name,
            Trouble.AUTH,
            last or "not let in",
            f"user and key: `ssh -v {spec.address or spec.name}` shows what is offered",
        )
    if done.stdout.strip().splitlines()[-1:] != [MARK.encode()] or done.returncode:
        return Pong(
            spec.name,
            Trouble.SHELL,
            f"logged in, but no shell answers: {last or 'silence'}",
            "look at the account's shell, and for a forced command",
        )
    trouble = Trouble.SUDO if spec.become else Trouble.SHELL
    return Pong(spec.name, trouble, error.message, error.remedy)


def _way(spec: HostSpec) -> _Way:
    words = [word for word in ssh_words(spec) if word != "-T"]
    told = subprocess.run(
        ["ssh", "-G", *words[1:]], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    pairs = (line.partition(" ") for line in told.stdout.splitlines())
    return _Way({key: value for key, _, value in pairs})


def _known_files(way: _Way) -> list[Path]:
    listed = f"{way.settings.get('userknownhostsfile', '')} " + way.settings.get(
        "globalknownhostsfile", ""
    )
    return [path for path in (Path(w).expanduser() for w in listed.split()) if path.is_file()]


def _known(called: str, file: Path) -> list[str]:
    """Return the keys a file knows a host by; a certificate authority is taken on trust."""
    words = ["ssh-keygen", "-F", called, "-f", str(file)]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = (line.split() for line in told.stdout.splitlines() if not line.startswith("#"))
    return [fields[2] for fields in lines if len(fields) > 2 and not fields[0].startswith("@")]


def _shown_keys(name: str, port: int) -> set[str]:
    words = ["ssh-keyscan", "-T", f"{PATIENCE:.0f}", "-p", str(port), name]
    try:
        told = subprocess.run(
            words, capture_output=True, text=True, timeout=3 * PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    lines = (line.split() for line in told.stdout.splitlines() if not line.startswith("#"))
    return {fields[2] for fields in lines if len(fields) > 2}
