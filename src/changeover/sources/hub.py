"""Where packed releases are: a registry repository, an OCI layout or file, or a hub folder.

All are places of the same kind to the copier, so that the same bytes sit in each of them. A hub
folder keeps what was imported in `.bundles` (a layout) and unpacked as `PRODUCT/VERSION`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover.errors import InvalidInput, InvalidRelease
from changeover.sources.oci.archive_target import LayoutArchive
from changeover.sources.oci.client import Client
from changeover.sources.oci.closure import Closure, Walker
from changeover.sources.oci.copier import Copier, Options
from changeover.sources.oci.fault import ImageFault, Missing
from changeover.sources.oci.layout import Layout
from changeover.sources.oci.layout_target import LayoutFolder
from changeover.sources.oci.medium import Shelf, Source, Target
from changeover.sources.oci.order import Observer, Order, Summary
from changeover.sources.oci.reference import Reference, parse_place
from changeover.sources.oci.since import Beside, Since
from changeover.sources.oci.tree import FolderTree
from changeover.sources.oci.tree_tar import TarTree
from changeover.sources.shipped import Shipment, read_shipment, tag_of
from changeover.sources.signature import PublicKey
from changeover.sources.unpack import unpack

BUNDLES = ".bundles"
LAYOUT_MARK = "oci-layout"


@dataclass(frozen=True)
class Hub:
    """A place with packed releases."""

    shown: str
    kind: str
    """`registry`, `layout`, `file` or `folder`."""
    path: Path = Path()
    reference: Reference | None = None

    def name(self, product: str) -> str:
        """Return what the releases of a product are kept under."""
        return self.reference.name if self.reference else product

    def shelf(self, client: Client) -> Shelf:
        """Return the place to read from."""
        if self.reference:
            return client.registry(self.reference.host)
        if self.kind == "file":
            return Layout(TarTree(self.path))
        return Layout(FolderTree(self.path / BUNDLES if self.kind == "folder" else self.path))

    def target(self, client: Client) -> Target:
        """Return the place to write to, made ready."""
        if self.reference:
            registry = client.registry(self.reference.host)
            registry.uploader.cancel_abandoned()
            return registry
        if self.kind == "file":
            archive = LayoutArchive(self.path)
            archive.prepare()
            return archive
        folder = LayoutFolder(self.path / BUNDLES if self.kind == "folder" else self.path)
        folder.prepare()
        return folder


def parse_hub(written: str) -> Hub:
    """Read where a hub is: `docker://HOST/REPO`, `oci:FOLDER`, a file, or a folder."""
    if written.startswith("docker://"):
        reference = parse_place(written)
        if not reference.name:
            raise InvalidInput(f"{written}: a repository is missing", "docker://HOST/REPOSITORY")
        return Hub(written, "registry", reference=reference)
    if written.startswith("oci:"):
        return Hub(written, "layout", Path(written.removeprefix("oci:")))
    path = Path(written)
    if path.is_dir():
        return Hub(written, "layout" if (path / LAYOUT_MARK).is_file() else "folder", path)
    return Hub(written, "file", path)


def released(hub: Hub, client: Client, product: str = "") -> list[tuple[str, str]]:
    """Return product and version of every packed release of a hub, as its tags name them."""
    shelf = hub.shelf(client)
    if hub.reference:
        product = product or hub.reference.name.rpartition("/")[2]
        return [(product, t) for t in shelf.tags(hub.reference.name) if not t.startswith("sha256-")]
    if not isinstance(shelf, Layout):
        return []
    try:
        names = sorted(shelf.named())
    except Missing:
        return []
    pairs = [(n.rpartition(":")[0], n.rpartition(":")[2]) for n in names]
    return [p for p in pairs if p[0] and product in ("", p[0])]


@dataclass(frozen=True)
class Found:
    """A release in a hub, its index read and nothing else."""

    hub: Hub
    source: Source
    name: str
    tag: str
    shipment: Shipment
    signers: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"{self.hub.shown}: {self.shipment.product} {self.shipment.version}"

    def closure(self) -> Closure:
        """Return everything the release consists of."""
        return Walker(attached=False).closure(self.source, self.name, self.tag, self.tag, "")


def find(
    hub: Hub, client: Client, product: str, version: str, trusted: Sequence[PublicKey] | None
) -> Found:
    """Read the index of a release and verify it; `trusted` none takes it unsigned.

    An empty version means the only release there. Raises `InvalidRelease`, `Missing`.
    """
    shelf = hub.shelf(client)
    tag = tag_of(version) or (hub.reference.tag if hub.reference else "")
    if not tag or (not product and not hub.reference):
        product, tag = _only(hub, client, product, tag)
    name = hub.name(product)
    shipment = read_shipment(shelf, name, tag, f"{hub.shown}: {tag}")
    if tag_of(shipment.version) != tag or product not in ("", shipment.product):
        raise InvalidRelease(
            f"{hub.shown}: {product} {tag}: is {shipment.product} {shipment.version} in truth",
            "somebody renamed it: fetch it again",
        )
    found = Found(hub, shelf, name, tag, shipment)
    if trusted is None:
        return found
    signers = shipment.verified(trusted, found.where)
    return Found(hub, shelf, name, tag, shipment, tuple(signers))


def _only(hub: Hub, client: Client, product: str, tag: str) -> tuple[str, str]:
    if hub.reference and tag:
        return product, tag
    known = [p for p in released(hub, client, product) if tag in ("", p[1])]
    if len(known) == 1:
        return known[0]
    if not known:
        raise InvalidInput(
            f"{hub.shown}: no such release is there", "check the path and the version"
        )
    names = ", ".join(f"{p} {v}" for p, v in known[:10])
    raise InvalidInput(f"{hub.shown}: which release?", f"there is: {names}")


def carry(
    found: Found,
    hub: Hub,
    client: Client,
    options: Options,
    observer: Observer | None = None,
    since: Found | None = None,
) -> Summary:
    """Copy a release to a hub; with `since`, only what that one lacks. Raises `ImageFault`."""
    product, tag = found.shipment.product, found.tag
    target = hub.target(client)
    order = Order(
        found.source,
        found.name,
        found.tag,
        hub.name(product),
        (hub.reference.tag if hub.reference else "") or tag,
        found.where,
        f"{hub.shown}: {product} {tag}",
    )
    try:
        goal = Since(target, since.closure()) if since else target
        summary = Copier(goal, options, observer).run([order])
        if summary.stopped:
            raise KeyboardInterrupt
        for image in summary.failed:
            raise ImageFault(named(found, image.error), image.remedy)
        if isinstance(target, LayoutArchive):
            target.finish()
    finally:
        if isinstance(target, LayoutArchive):
            target.drop()
    return summary


def bring_in(
    found: Found, hub: Hub, client: Client, options: Options
) -> tuple[Summary, Path | None]:
    """Import a release into a hub; a hub folder also gets it unpacked, ready to be used.

    What an export left out because of `--since` is taken from the hub itself.
    """
    own = Layout(FolderTree(hub.path / BUNDLES)) if hub.kind == "folder" else hub.shelf(client)
    joint = Beside(found.source, own, hub.name(found.shipment.product))
    whole = Found(hub, joint, found.name, found.tag, found.shipment, found.signers)
    summary = carry(whole, hub, client, options)
    if hub.kind != "folder":
        return summary, None
    folder = hub.path / found.shipment.product / found.shipment.version
    unpack(joint, found.name, found.shipment, folder, options.budget)
    return summary, folder


def named(found: Found, message: str) -> str:
    """Return a message with the path of the file where it only has a digest."""
    try:
        manifest = found.source.manifest(found.name, found.shipment.release.digest)
    except ImageFault:
        return message
    for blob in manifest.blobs:
        title = blob.annotations.get("org.opencontainers.image.title")
        if title and blob.digest.partition(":")[2] in message:
            return f"{title}: {message}"
    return message
