"""How Ansible reaches a host, as this tool reaches it; host keys stay checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.config import Config
from changeover.instances.ansible.filters import to_bool
from changeover.instances.ansible.playbook import Play
from changeover.instances.ansible.scope import Scope
from changeover.model.findings import Finding, passed
from changeover.model.instance import HostSpec

BECOME_PASSWORDS = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass")
LOGIN_PASSWORDS = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
_WAYS = {"ssh": "ssh", "smart": "ssh", "paramiko": "ssh", "paramiko_ssh": "ssh", "local": "local"}
_OURS = ("controlmaster", "controlpersist", "controlpath", "batchmode")
"""Options of ssh this tool sets for itself."""
_UNSAFE = {"stricthostkeychecking": ("no", "off"), "userknownhostsfile": ("/dev/null",)}
_FLAGS = {
    "-A": ("ForwardAgent", "yes"),
    "-a": ("ForwardAgent", "no"),
    "-C": ("Compression", "yes"),
    "-4": ("AddressFamily", "inet"),
    "-6": ("AddressFamily", "inet6"),
}
_VALUED = {"-J": "ProxyJump", "-i": "IdentityFile", "-p": "Port", "-l": "User"}
_QUIET = ("-q", "-T", "-v", "-vv", "-vvv", "-n", "-x")


@dataclass
class Way:
    """How to reach one host, and what is worth a word about it."""

    spec: HostSpec
    root_facts: bool = False
    """Whether Ansible would gather what it knows of the host as root."""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Connections:
    """Turns connection variables into the way to a host."""

    config: Config
    plays: Sequence[Play]
    """Those that are for the host: another one may say `connection: local`."""
    become: bool = False
    """The guide needs root, whatever the playbook says."""

    def way(self, scope: Scope, roles: Sequence[str]) -> Way:
        """Return how a host is reached; raises `InvalidInstance` where this tool cannot."""
        said = _Said(scope, self.config, self._keywords(scope))
        _refuse_passwords(scope)
        transport = self._transport(scope, said)
        asked = bool(to_bool(said.value("ansible_become", "become", "privilege_escalation.become")))
        user = "" if transport == "local" else said.value(
            "ansible_user", "remote_user", "remote_user", "ansible_ssh_user"
        )  # fmt: skip
        port = said.value("ansible_port", "port", "remote_port", "ansible_ssh_port")
        spec = HostSpec(
            name=scope.host,
            transport=transport,
            address=said.value("ansible_host", "", "", "ansible_ssh_host"),
            port=_port(port, scope.host),
            user=user,
            roles=tuple(roles),
            become=self._become(said, asked=asked, user=user),
        )
        way = Way(spec, root_facts=asked)
        way.spec = _with_ssh(way, said) if transport == "ssh" else spec
        return way

    def _keywords(self, scope: Scope) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for play in self.plays:
            for word in (
                "become",
                "become_user",
                "become_method",
                "remote_user",
                "connection",
                "port",
            ):
                if word in play.keywords:
                    found[word] = scope.render(play.keywords[word], f"{play.path}: {word}")
        return found

    def _transport(self, scope: Scope, said: _Said) -> str:
        written = said.value("ansible_connection", "connection", "transport") or "ssh"
        short = written.rpartition(".")[2]
        if short not in _WAYS:
            raise InvalidInstance(
                f"{scope.host}: ansible_connection: {written}: is not a way this tool knows",
                f"one of: {', '.join(_WAYS)}",
            )
        return _WAYS[short]

    def _become(self, said: _Said, *, asked: bool, user: str) -> str:
        host = said.scope.host
        method = said.value(
            "ansible_become_method", "become_method", "privilege_escalation.become_method"
        )
        root = said.value("ansible_become_user", "become_user", "privilege_escalation.become_user")
        if not asked and not (self.become and user not in ("", "root")):
            return ""
        if method not in ("", "sudo", "ansible.builtin.sudo"):
            raise InvalidInstance(
                f"{host}: become_method: {method}: only sudo is known here", "use sudo"
            )
        if root not in ("", "root"):
            raise InvalidInstance(
                f"{host}: become_user: {root}: this tool works as root or as who logs in",
                "log in as that user, without become",
            )
        return "sudo"


@dataclass(frozen=True)
class _Said:
    scope: Scope
    config: Config
    keywords: Mapping[str, Any]

    def value(self, variable: str, keyword: str = "", setting: str = "", older: str = "") -> str:
        """Return what a variable says, else the play, else ansible.cfg; as text."""
        for name in filter(None, (variable, older)):
            if name in self.scope:
                found = self.scope[name]
                return "" if found is None else str(found)
        if keyword in self.keywords:
            return str(self.keywords[keyword])
        return self.config.text(setting) if setting else ""


def become_password(scope: Scope) -> str:
    """Return the variable that holds the password for sudo; empty where there is none."""
    return next((name for name in BECOME_PASSWORDS if name in scope), "")


def _refuse_passwords(scope: Scope) -> None:
    for name in LOGIN_PASSWORDS:
        if name in scope:
            raise InvalidInstance(
                f"{scope.place(name)}: {name}: this tool logs in with keys, not with passwords",
                f"ssh-copy-id {scope.host}, then remove {name}",
            )


def _port(written: str, host: str) -> int | None:
    if not written:
        return None
    if not written.isdigit() or not 0 < int(written) < 65536:
        raise InvalidInstance(f"{host}: ansible_port: {written}: is no port", "write a number")
    return int(written)


def _with_ssh(way: Way, said: _Said) -> HostSpec:
    """Add the options ssh is given, but for those that would let anybody in between."""
    options: dict[str, str] = {}
    key = said.value(
        "ansible_ssh_private_key_file", "", "private_key_file", "ansible_private_key_file"
    )
    if key:
        options["IdentityFile"] = _file(key, said.config)
    config = ""
    written = (
        said.value("ansible_ssh_args", "", "ssh_connection.ssh_args"),
        said.value("ansible_ssh_common_args", "", "ssh_connection.ssh_common_args"),
        said.value("ansible_ssh_extra_args", "", "ssh_connection.ssh_extra_args"),
    )
    for name, value in (pair for text in written for pair in _options(text, way.spec.name)):
        low = name.lower()
        if low == "configfile":
            config = _file(value, said.config)
        elif value.lower() in _UNSAFE.get(low, ()):
            way.findings.append(_kept_safe(way.spec.name, f"{name}={value}"))
        elif low not in _OURS:
            options.setdefault(name, value)
    if not _checks_keys(said):
        way.findings.append(_kept_safe(way.spec.name, "host_key_checking=False"))
    port, user = options.pop("Port", ""), options.pop("User", "")
    return replace(
        way.spec, options=options, ssh_config=config, user=way.spec.user or user,
        port=way.spec.port or _port(port, way.spec.name),
    )  # fmt: skip


def _checks_keys(said: _Said) -> bool:
    value = said.value(
        "ansible_host_key_checking", "", "host_key_checking", "ansible_ssh_host_key_checking"
    )
    return value == "" or bool(to_bool(value))


def _kept_safe(host: str, setting: str) -> Finding:
    return replace(passed(f"host keys are checked, although {setting} stands there"), host=host)


def _options(text: str, host: str) -> Iterator[tuple[str, str]]:
    """Yield the options in words for ssh; raises `InvalidInstance` for what is no option."""
    try:
        words = iter(shlex.split(text))
    except ValueError as error:
        raise InvalidInstance(f"{host}: ssh arguments: {error}", "close the quotes") from None
    for word in words:
        if word[:2] == "-o":
            setting = word[2:] or next(words, "")
            # `Name=value` or `Name value`; a value may have blanks and signs of equality.
            name, value = (*re.split(r"\s*=\s*|\s+", setting.strip(), maxsplit=1), "")[:2]
            yield name, value
        elif word in _FLAGS:
            yield _FLAGS[word]
        elif word[:2] in _VALUED or word[:2] == "-F":
            yield _VALUED.get(word[:2], "ConfigFile"), word[2:] or next(words, "")
        elif word not in _QUIET:
            raise InvalidInstance(
                f"{host}: ssh argument {word}: is not understood here",
                "write it as -o Option=value",
            )


def _file(written: str, config: Config) -> str:
    """Return a path; a relative one is Ansible's, from where it is started."""
    path = Path(written).expanduser()
    places = (Path.cwd(), config.folder, *config.parents)
    found = next((p / path for p in places if (p / path).exists()), None)
    return str(found or path)
