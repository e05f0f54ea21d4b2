"""Options of the commands that talk to registries, and the client they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from changeover.cli.options import named_instance, vault_option
from changeover.errors import InvalidInput
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.network import Network
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.reference import Reference
from changeover.sources.oci.uploads import uploads_folder

Command = Callable[..., Any]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ANY = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_OPTIONS = (
    click.option(
        "--plain-http",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Speak to this registry, or its token server, without TLS.",
    ),
    click.option("--ca", multiple=True, type=_FILE, help="Trust the authorities in this file."),
    click.option(
        "--cert-dir",
        multiple=True,
        type=_FOLDER,
        help="A folder with HOST[:PORT]/*.crt, *.cert, *.key [Docker's and Podman's certs.d].",
    ),
    click.option(
        "--mirror",
        multiple=True,
        metavar="HOST=HOST[/PREFIX]",
        help="Read what this registry has from a mirror.",
    ),
    click.option(
        "--retry-for",
        type=click.FloatRange(0, 86400),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to try again while nothing moves.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 64),
        default=6,
        show_default=True,
        help="Requests at a time to one registry.",
    ),
)


_INSTANCE = click.option(
    "-i",
    "--instance",
    metavar="FOLDER",
    help="Reach registries as this instance's `registries:` say.",
)


def registry_options(command: Command) -> Command:
    """Add the options that say how registries are reached: they arrive as `**reach`."""
    there = {p.name for p in getattr(command, "__click_params__", ())}
    further = () if "instance" in there else (_INSTANCE, vault_option)
    for option in reversed((*_OPTIONS, *further)):
        command = option(command)
    return command


def lists_option(help: str) -> Callable[[Command], Command]:
    """Give `lists: tuple[Path, ...]`, whose images `listed` reads."""
    return click.option("--from", "lists", multiple=True, type=_ANY, metavar="LIST", help=help)


def listed(paths: Sequence[Path], edition: str = "") -> list[Reference]:
    """Return the images that files name (of releases, those of an edition), each once."""
    if not paths:
        return []
    # Only here: a copy of named images needs no YAML.
    from changeover.cli.images.place import mentioned  # noqa: PLC0415 - YAML is slow

    return list(dict.fromkeys(m.reference for m in mentioned(paths, edition)))


def client_for(reach: dict[str, Any]) -> tuple[Client, Budget]:
    """Return a client, and the budget all work shares; raises `InvalidInput`."""
    mirrors = {}
    for pair in reach["mirror"]:
        host, equals, mirror = pair.partition("=")
        if not (host and equals and mirror):
            raise InvalidInput(f"--mirror {pair}: not HOST=HOST[/PREFIX]", "write both hosts")
        mirrors[host] = mirror
    plain = frozenset(h.removeprefix("http://").rstrip("/") for h in reach["plain_http"])
    network = Network(
        plain_http=plain,
        cert_dirs=tuple(reach["cert_dir"]),
        authorities=tuple(reach["ca"]),
        mirrors=mirrors,
    )
    given: Mapping[str, Credential] = {}
    folder = named_instance(reach.get("instance"))
    if folder is not None:
        # Only here: a copy without an instance needs no YAML and no templates.
        from changeover.cli.images.instance import instance_registries  # noqa: PLC0415 - slow

        network, given = instance_registries(folder, network)
    budget = Budget(seconds=reach["retry_for"])
    uploads = uploads_folder(os.environ)
    return Client(Settings(network, budget, given, uploads)), budget
