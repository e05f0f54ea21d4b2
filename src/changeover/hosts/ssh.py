"""The words of the operator's own `ssh`: their configuration rules, but for what keeps us safe."""

from __future__ import annotations

import subprocess
from pathlib import Path

from changeover.errors import InvalidInstance
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
SYSTEM = Path("/etc/ssh/ssh_config")
HOST_KEY_POLICIES = ("yes", "accept-new")


def ssh_words(spec: HostSpec) -> tuple[str, ...]:
    """Build the command that runs its last word on the host."""
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
    if not any(map(_may_accept, _configurations(spec))):
        return "yes"
    try:
        shown = subprocess.run(
            ["ssh", "-G", *_target(spec, "")], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "yes"
    accepts = "stricthostkeychecking accept-new" in shown.stdout.splitlines()
    return "accept-new" if accepts else "yes"


def _configurations(spec: HostSpec) -> list[Path]:
    """Return the files `ssh` would read, but for those they include."""
    if spec.ssh_config:
        return [Path(spec.ssh_config)]
    return [Path("~/.ssh/config").expanduser(), *SYSTEM.parent.glob("ssh_config.d/*.conf"), SYSTEM]


def _may_accept(file: Path) -> bool:
    """Say whether it is worth asking ssh itself, which takes as long as five operations."""
    try:
        text = file.read_text(errors="replace").lower()
    except OSError:
        return False
    return "accept-new" in text or ("include" in text and file != SYSTEM)
