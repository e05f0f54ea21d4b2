"""The words of the operator's own `ssh`: their configuration rules, but for what keeps us safe."""

from __future__ import annotations

import subprocess

from changeover.errors import InvalidInstance, NotReady
from changeover.hosts.reach import CONNECT_TIMEOUT
from changeover.model.instance import HostSpec

OURS = {
    "BatchMode": "yes",
    "ClearAllForwardings": "yes",
    "ConnectTimeout": str(CONNECT_TIMEOUT),
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "5",
}
"""Asked of ssh unless the instance's `options` say otherwise."""
HOST_KEY_POLICIES = ("yes", "accept-new")


def ssh_words(spec: HostSpec) -> tuple[str, ...]:
    """Build the command that runs its last word on the host; raises `NotReady` without an ssh."""
    options = {"StrictHostKeyChecking": "", **OURS, **spec.options}
    policy = options.pop("StrictHostKeyChecking") or _policy(spec)
    if policy not in HOST_KEY_POLICIES:
        raise InvalidInstance(
            f"{spec.name}: options: StrictHostKeyChecking: {policy!r}: lets anybody in between",
            f"Use one of: {', '.join(HOST_KEY_POLICIES)}.",
        )
    settings = [f"{key}={value}" for key, value in options.items()]
    asked = [word for setting in settings for word in ("-o", setting)]
    return ("ssh", "-T", *_target(spec, f"StrictHostKeyChecking={policy}", *asked))


def _target(spec: HostSpec, policy: str, *asked: str) -> tuple[str, ...]:
    words: list[str] = ["-F", spec.ssh_config] if spec.ssh_config else []
    words += ["-o", policy, *asked] if policy else []
    words += ["-p", str(spec.port)] if spec.port else []
    words += ["-l", spec.user] if spec.user else []
    address = spec.address or spec.name
    if address.startswith("-"):
        raise InvalidInstance(f"{spec.name}: address: {address!r}: begins with a dash")
    return (*words, "--", address)


def _policy(spec: HostSpec) -> str:
    """Return `accept-new` where the operator's configuration says so for this host, else `yes`."""
    try:
        shown = subprocess.run(
            ["ssh", "-G", *_target(spec, "")], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise NotReady(
            f"{spec.name}: no `ssh` here", "Install the OpenSSH client (openssh-client)."
        ) from error
    accepts = "stricthostkeychecking accept-new" in shown.stdout.splitlines()
    return "accept-new" if accepts else "yes"
