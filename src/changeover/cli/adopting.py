"""Drafts of instances: from answers, or from what a server shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from changeover.engine.adoption import Found, read_server
from changeover.errors import InvalidInput
from changeover.hosts.connect import connect
from changeover.instances.draft import Draft
from changeover.model.instance import HostSpec


def asked(folder: Path, said: Mapping[str, Any], *, ask: bool) -> Draft:
    """Ask what an instance needs, or take what was said."""
    name = _answer("Name of the instance", said["name"] or word_of(folder.resolve().name), ask)
    product = _answer("Product", said["product"] or name, ask)
    address = _answer("Host (USER@HOST, or local)", "local", ask)
    hubs = list(said["hubs"]) or [_answer("Folder with its releases", "releases", ask)]
    url = _answer("Address users depend on (empty for none)", "", ask)
    endpoints = [{"name": "site", "url": url}] if url else []
    host, fields = host_of(address, said)
    return Draft(name, product, {host: fields}, hubs, endpoints=endpoints)


def adopted(
    address: str, folder: Path, said: Mapping[str, Any], *, ask: bool
) -> tuple[Found, Draft]:
    """Read a server and draft an instance from it."""
    host_name, fields = host_of(address, said)
    spec = HostSpec(**{**fields, "name": host_name, "roles": tuple(fields["roles"])})
    password = None
    if spec.become and ask:
        password = click.prompt("sudo password (empty for none)", default="", hide_input=True)
    host = connect(spec, password=password or None)
    try:
        found = read_server(host)
    finally:
        host.transport.close()
    name = _answer("Name of the instance", said["name"] or word_of(folder.resolve().name), ask)
    guess = found.checkouts[0].folder.rpartition("/")[2] if found.checkouts else name
    product = _answer("Product", said["product"] or word_of(guess), ask)
    hubs = list(said["hubs"]) or ["releases"]
    return found, draft_of(found, Draft(name, product, {host_name: fields}, hubs))


def draft_of(found: Found, draft: Draft) -> Draft:
    """Fill a draft with what was found."""
    values: dict[str, Any] = {}
    if found.sites:
        values["domain"] = found.sites[0].names[0]
    if found.checkouts:
        values["workdir"] = found.checkouts[0].folder
        values["repository"] = found.checkouts[0].repository
    endpoints = [
        {"name": word_of(site.names[0]), "url": f"http{'s' if site.tls else ''}://{site.names[0]}/"}
        for site in sorted(found.sites, key=lambda site: site.tls)
    ]
    # Of two sites of one name, that with TLS is what users reach.
    unique = {str(e["name"]): e for e in endpoints}
    urls = list(dict.fromkeys(d.url for d in found.databases))
    names = ["main", *(f"other{n}" for n in range(1, len(urls)))][: len(urls)]
    return replace(
        draft,
        vars={k: v for k, v in values.items() if v},
        endpoints=list(unique.values()),
        databases={n: {"url": f"{{{{ secrets.{_secret(n)} }}}}"} for n in names},
        secrets={_secret(n): url for n, url in zip(names, urls, strict=True)},
    )


def _secret(database: str) -> str:
    return "database_url" if database == "main" else f"{database}_database_url"


def host_of(address: str, said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Read `USER@HOST`; return what to call it and what an instance says of it."""
    if address == "local":
        return "here", {"transport": "local", "roles": ["web", "db"]}
    user, _, machine = address.rpartition("@")
    if not machine or machine.startswith("-") or re.search(r"\s", address):
        raise InvalidInput(f"`{address}` is not a host", "write USER@HOST, or local")
    fields: dict[str, Any] = {"address": machine, "user": user, "roles": ["web", "db"]}
    optional = {"port": said.get("port"), "become": said.get("become")}
    fields |= {name: value for name, value in optional.items() if value}
    first = machine.partition(".")[0]
    return "server" if first.isdigit() or ":" in machine else word_of(first), fields


def _answer(question: str, default: str, ask: bool) -> str:
    return str(click.prompt(question, default=default)) if ask else default


def word_of(text: str) -> str:
    """Make a word that instances and hosts may be called by."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-") or "instance"
