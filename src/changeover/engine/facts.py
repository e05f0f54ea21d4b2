"""What Ansible would know of a host before its first task, as far as variables use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from changeover.hosts.command import command
from changeover.hosts.host import Host

LIMIT = 30.0
"""Seconds a host may take to tell."""

# Of who logs in, although sudo made us root: that is whose HOME a playbook without `become` sees.
_LOGIN = """
user=$(id -un); [ "$1" = root ] || user=${SUDO_USER:-$user}
entry=$(getent passwd "$user" || true)
home=$(printf %s "$entry" | cut -d: -f6); shell=$(printf %s "$entry" | cut -d: -f7)
[ "$user" = "$(id -un)" ] && [ -n "${HOME:-}" ] && home=$HOME
for value in "$user" "$home" "$shell" "$PATH" "$(uname -n)" \
    "$(hostname -f 2>/dev/null || uname -n)" "$(uname -s)" "$(uname -m)"; do
  printf '%s\\n' "$value"
done
"""


def host_facts(host: Host, *, as_root: bool) -> Mapping[str, Any]:
    """Return `ansible_env` and its like; raises where the host cannot be asked."""
    who = "root" if as_root else "login"
    said = host.do(command("sh", "-c", _LOGIN, "sh", who), timeout=LIMIT).split("\n")
    user, home, shell, path, node, name, system, machine = said[:8]
    facts = {
        "env": {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": shell, "PATH": path},
        "user_id": user,
        "user_dir": home,
        "hostname": node.partition(".")[0],
        "nodename": node,
        "fqdn": name,
        "system": system,
        "machine": machine,
    }
    return {**{f"ansible_{key}": value for key, value in facts.items()}, "ansible_facts": facts}
