"""How a registry is reached: plain HTTP only when asked for, certificates, proxies, mirrors."""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from changeover.sources.oci.fault import BadReference, ImageFault
from changeover.sources.oci.reference import HUB

HUB_ENDPOINT = "registry-1.docker.io"
CERT_DIRS = ("/etc/docker/certs.d", "/etc/containers/certs.d", "~/.config/containers/certs.d")


@dataclass(frozen=True)
class Network:
    """What the operator said about registries' addresses."""

    plain_http: frozenset[str] = frozenset()
    """Hosts (`HOST[:PORT]`) that are spoken to without TLS."""
    cert_dirs: tuple[Path, ...] = ()
    """Folders with `HOST[:PORT]/*.crt` (authorities) and `*.cert` with `*.key` (client)."""
    authorities: tuple[Path, ...] = ()
    """Files of certificates that may sign any registry's."""
    own_authorities: Mapping[str, Path] = field(default_factory=dict)
    """For a host (`HOST[:PORT]`), a file of certificates that may sign its own alone."""
    mirrors: Mapping[str, str] = field(default_factory=dict)
    """`HOST[/PREFIX]` to ask first for what a registry has."""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    silence: float = 60.0
    """Seconds without a byte after which a connection counts as dead."""

    def base(self, host: str) -> str:
        """Return the URL of a registry's host."""
        scheme = "http" if host in self.plain_http else "https"
        return f"{scheme}://{HUB_ENDPOINT if host == HUB else host}"

    def tls(self, netloc: str) -> ssl.SSLContext:
        """Return the TLS settings for a host; raises `ImageFault` where a file is wrong."""
        context = ssl.create_default_context()
        try:
            own = self.own_authorities.get(netloc)
            for file in (*self.authorities, *([own] if own else [])):
                context.load_verify_locations(file)
            for folder in self._folders(netloc):
                _load(context, folder)
        except (OSError, ssl.SSLError) as e:
            where = getattr(e, "filename", None) or netloc
            raise ImageFault(f"{where}: certificate: {e}", "check the file") from None
        return context

    def proxy(self, scheme: str, host: str) -> SplitResult | None:
        """Return the proxy the environment names for a host, if it does."""
        env = self.environ
        name = f"{scheme}_proxy"
        # HTTP_PROXY in capitals could be set by a request header in CGI; we are no CGI program.
        url = env.get(name) or env.get(name.upper()) or env.get("ALL_PROXY") or env.get("all_proxy")
        if not url or _excepted(host, env.get("no_proxy") or env.get("NO_PROXY") or ""):
            return None
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise BadReference(
                f"{name}: {parts.scheme}://{parts.hostname}: not a proxy this tool can use",
                "use an http:// proxy",
            )
        return parts

    def _folders(self, netloc: str) -> list[Path]:
        named = self.cert_dirs or tuple(Path(d).expanduser() for d in CERT_DIRS)
        return [f for d in named if (f := d / netloc).is_dir()]


def proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    """Return the header a proxy with a user in its URL wants."""
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _load(context: ssl.SSLContext, folder: Path) -> None:
    for file in sorted(folder.glob("*.crt")):
        context.load_verify_locations(file)
    for file in sorted(folder.glob("*.cert")):
        context.load_cert_chain(file, file.with_suffix(".key"))


def _excepted(host: str, exceptions: str) -> bool:
    for entry in (e.strip().lower() for e in exceptions.split(",")):
        if entry == "*" or (entry and _matches(host.lower().strip("[]"), entry)):
            return True
    return False


def _matches(host: str, entry: str) -> bool:
    name = entry.rpartition(":")[0] if entry.count(":") == 1 else entry
    if "/" in name:
        import ipaddress  # noqa: PLC0415 - takes longer to import than most exceptions are worth

        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False)
        except ValueError:
            return False
    name = name.removeprefix("*").lstrip(".")
    return host == name or host.endswith("." + name)
