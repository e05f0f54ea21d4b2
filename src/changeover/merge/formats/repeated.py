"""Sections that are repeated on purpose, as WireGuard's peers: each is an element of a list."""

from __future__ import annotations

from changeover.merge.formats.linewise import add_repeated
from changeover.merge.tree import Value

REPEATED = frozenset((
    "Peer", "WireGuardPeer", "Address", "Route", "NextHop", "Neighbor", "RoutingPolicyRule",
    "IPv6AddressLabel", "IPv6Prefix", "IPv6RoutePrefix", "IPv6PREF64Prefix", "BridgeFDB",
    "BridgeMDB", "BridgeVLAN", "DHCPServerStaticLease", "SR-IOV", "L2TPSession",
))  # fmt: skip
_MARK = "\x00"


def place_of(name: str, known: int) -> str:
    """Return where the settings of a section are collected, after so many others."""
    return f"{name}{_MARK}{known}" if name in REPEATED else name


def gathered(places: dict[str, Value]) -> Value:
    """Return sections by their names; those that are repeated are lists."""
    found: dict[str, Value] = {}
    for place, section in places.items():
        name, mark, _ = place.partition(_MARK)
        if mark:
            add_repeated(found, name, section)
        else:
            found[place] = section
    return found
