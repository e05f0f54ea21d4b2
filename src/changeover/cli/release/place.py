"""Releases and hubs as the command line names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from changeover.cli.images.registry import listed
from changeover.cli.release.trust import private_keys
from changeover.sources.hub import Found, Hub, parse_hub
from changeover.sources.oci.client import Client
from changeover.sources.oci.closure import Walker
from changeover.sources.oci.places import Places
from changeover.sources.shipped import Packed, Pictured, read_shipment, tag_of


def packed(
    client: Client, folder: Path, sign_with: tuple[Path, ...], given: dict[str, Any]
) -> Found:
    """Return a release folder as something that can be carried."""
    images = _images(client, folder, given["platform"]) if given["with_images"] else []
    source = Packed(folder, images, private_keys(sign_with))
    shipment = read_shipment(source, "", tag_of(source.version), str(folder))
    hub = Hub(str(folder), "folder", folder)
    return Found(hub, source, source.product, tag_of(source.version), shipment)


def _images(client: Client, folder: Path, platform: str) -> list[Pictured]:
    places, walker = Places(client), Walker(platform)
    pictured = []
    for reference in listed([folder]):
        source = places.source(reference)
        name, wanted, expected = places.asked(reference)
        closure = walker.closure(source, name, wanted, "", expected)
        pictured.append(Pictured(str(reference), source, name, closure))
    return pictured


def place_for(written: str, new: str) -> Hub:
    """Return a place to write to; one that is not there yet becomes a `file` or a `folder`."""
    hub = parse_hub(written)
    if hub.kind == "file" and new != "file":
        return Hub(written, new, Path(written))
    return hub
