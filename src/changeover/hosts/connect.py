"""From an instance's description of a host to a host one can work with."""

from __future__ import annotations

import os

from changeover.errors import InvalidInstance
from changeover.hosts.host import Host
from changeover.hosts.reach import Password, Reach
from changeover.hosts.ssh import ssh_words
from changeover.hosts.transport import ShellTransport
from changeover.model.instance import HostSpec
from changeover.model.secret import Masker


def connect(
    spec: HostSpec,
    *,
    state_dir: str = "",
    password: Password | str | None = None,
    masker: Masker | None = None,
) -> Host:
    """Return the host; it is reached when first asked something, not before.

    `password` is sudo's, or something that returns it when sudo asks. `state_dir` is the folder of
    the instance on the host, `spec.state_dir` if not given.
    """
    transport = transport_to(spec, state_dir=state_dir, password=password, masker=masker)
    return Host(spec.name, transport, transport.state_dir, spec.vars)


def transport_to(
    spec: HostSpec,
    *,
    state_dir: str = "",
    password: Password | str | None = None,
    masker: Masker | None = None,
) -> ShellTransport:
    """Return the transport of a host, with the lease and the journal that `Host` does not show."""
    folder = state_dir or spec.state_dir
    if not folder.startswith("/") or not folder.strip("/"):
        raise InvalidInstance(f"{spec.name}: state_dir: {folder!r}: not an absolute folder")
    if spec.become not in ("", "sudo"):
        raise InvalidInstance(
            f"{spec.name}: become: {spec.become!r}", "Use `sudo`, or leave it out."
        )
    return ShellTransport(_reach(spec, _asking(password, masker)), folder, masker)


def _reach(spec: HostSpec, password: Password | None) -> Reach:
    if spec.transport == "local":
        become = "" if os.geteuid() == 0 else spec.become
        return Reach(spec.name, None, become, password)
    if spec.transport != "ssh":
        raise InvalidInstance(
            f"{spec.name}: transport: {spec.transport!r}", "Use `ssh` or `local`."
        )
    return Reach(spec.name, lambda: ssh_words(spec), spec.become, password)


def _asking(password: Password | str | None, masker: Masker | None) -> Password | None:
    if not password:
        return None

    def ask() -> str:
        value = password if isinstance(password, str) else password()
        if masker is not None:
            masker.learn(value)
        return value

    return ask
