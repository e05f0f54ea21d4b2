"""What Ansible would know of a host before its first task, as far as variables use it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from changeover.hosts.command import command
from changeover.hosts.host import Host

LIMIT = 30.0
"""Seconds a host may take to tell."""

# Of who logs in, although sudo made us root: that is whose HOME a playbook without `become` sees.
_ASKED = r"""
user=$(id -un); [ "$1" = root ] || user=${SUDO_USER:-$user}
entry=$(getent passwd "$user" || true)
home=$(printf %s "$entry" | cut -d: -f6)
[ "$user" = "$(id -un)" ] && [ -n "${HOME:-}" ] && home=$HOME
say() { printf '%s=%s\n' "$1" "$2"; }
say user_id "$user"; say user_uid "$(id -u "$user")"; say user_gid "$(id -g "$user")"
say user_dir "$home"; say user_shell "$(printf %s "$entry" | cut -d: -f7)"
say path "$PATH"; say lang "${LANG:-}"
say nodename "$(uname -n)"; say fqdn "$(hostname -f 2>/dev/null || uname -n)"
say system "$(uname -s)"; say machine "$(uname -m)"; say kernel "$(uname -r)"
(
  . /etc/os-release
  say id "$ID"; say version "$VERSION_ID"; say codename "${VERSION_CODENAME:-}"
) 2>/dev/null
say debian "$(cat /etc/debian_version 2>/dev/null)"
say vcpus "$(grep -c ^processor /proc/cpuinfo)"; say nproc "$(nproc)"
say memory "$(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
say addresses "$(hostname -I 2>/dev/null)"
say route "$(ip -4 route get 8.8.8.8 2>/dev/null | head -n 1)"
[ -d /run/systemd/system ] && say init systemd
true
"""


def host_facts(host: Host, *, as_root: bool) -> Mapping[str, Any]:
    """Return `ansible_env` and its like; raises where the host cannot be asked."""
    who = "root" if as_root else "login"
    lines = host.do(command("sh", "-c", _ASKED, "sh", who), timeout=LIMIT).splitlines()
    said = {name: value for name, _, value in (line.partition("=") for line in lines)}
    facts = {**_of_user(said), **_of_system(said), **_of_network(said)}
    return {**{f"ansible_{key}": value for key, value in facts.items()}, "ansible_facts": facts}


def _of_user(said: Mapping[str, str]) -> dict[str, Any]:
    user, shell = said["user_id"], said["user_shell"]
    environment = {"HOME": said["user_dir"], "USER": user, "LOGNAME": user, "SHELL": shell,
                   "PATH": said["path"]}  # fmt: skip
    if said["lang"]:
        environment["LANG"] = said["lang"]
    return {
        "env": environment,
        "user_id": user,
        "user_dir": said["user_dir"],
        "user_shell": shell,
        "user_uid": _number(said["user_uid"]),
        "user_gid": _number(said["user_gid"]),
    }


def _of_system(said: Mapping[str, str]) -> dict[str, Any]:
    # Debian says its point release elsewhere than all others.
    version = said["debian"] if said.get("id") == "debian" else said.get("version", "")
    return {
        "system": said["system"],
        "machine": said["machine"],
        "architecture": said["machine"],
        "kernel": said["kernel"],
        "distribution": said.get("id", "").capitalize(),
        "distribution_version": version,
        "distribution_major_version": said.get("version", "").partition(".")[0],
        "distribution_release": said.get("codename", ""),
        # Hosts are Debian or its children: nothing else is installed on.
        "os_family": "Debian",
        "pkg_mgr": "apt",
        "service_mgr": said.get("init", ""),
        "processor_vcpus": _number(said["vcpus"]),
        "processor_nproc": _number(said["nproc"]),
        "memtotal_mb": _number(said["memory"]) // 1024,
    }


def _of_network(said: Mapping[str, str]) -> dict[str, Any]:
    name = said["fqdn"]
    words = said["route"].split()
    route = dict(pairwise(words))
    default = {"address": route.get("src"), "interface": route.get("dev"),
               "gateway": route.get("via")}  # fmt: skip
    return {
        "hostname": said["nodename"].partition(".")[0],
        "nodename": said["nodename"],
        "fqdn": name,
        "domain": name.partition(".")[2],
        "default_ipv4": {key: value for key, value in default.items() if value},
        "all_ipv4_addresses": [a for a in said["addresses"].split() if ":" not in a],
    }


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
