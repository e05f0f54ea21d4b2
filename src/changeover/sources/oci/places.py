"""From references as people write them to sources, targets and orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from changeover.sources.oci.archive_target import LayoutArchive
from changeover.sources.oci.client import Client
from changeover.sources.oci.fault import BadReference
from changeover.sources.oci.layout import Layout, joined, split
from changeover.sources.oci.layout_target import LayoutFolder
from changeover.sources.oci.medium import Shelf, Stock, Target
from changeover.sources.oci.mirror import Mirrored, mirror_of
from changeover.sources.oci.order import Order
from changeover.sources.oci.reference import Reference, looks_like_host
from changeover.sources.oci.tree import FolderTree


class Places:
    """Opens each place once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open: dict[tuple[str, str], Shelf] = {}
        self._stock: dict[tuple[str, str], Stock] = {}
        """Layouts and archives, which can say what they hold."""

    def source(self, reference: Reference) -> Shelf:
        """Return where a reference reads from."""
        key = (reference.kind, reference.place)
        if key not in self._open:
            self._open[key] = self._source(reference)
        return self._open[key]

    def target(self, reference: Reference, *, dry: bool = False) -> Target:
        """Return where a reference writes to, made ready unless nothing is to be written."""
        if reference.kind == "docker":
            registry = self._client.registry(reference.host)
            if not dry:
                registry.uploader.cancel_abandoned()
            return registry
        if reference.kind == "docker-archive":
            raise BadReference(
                f"{reference}: docker-archive is not written",
                "write oci-archive:FILE, or bring it to an engine: changeover images load",
            )
        folder = LayoutFolder if reference.kind == "oci" else LayoutArchive
        target: LayoutFolder | LayoutArchive = folder(reference.path)
        if not dry:
            target.prepare()
        return target

    def _source(self, reference: Reference) -> Shelf:
        if reference.kind != "docker":
            return self._held_in(reference)
        registry = self._client.registry(reference.host)
        mirror = mirror_of(reference.host, self._client.settings.network.mirrors)
        if mirror is None:
            return registry
        return Mirrored(registry, self._client.registry(mirror[0]), mirror[1])

    def _held_in(self, reference: Reference) -> Shelf:
        folder = reference.kind == "oci"
        found = Layout(FolderTree(reference.path)) if folder else self._in_tar(reference)
        self._stock[reference.kind, reference.place] = found
        return found

    def _in_tar(self, reference: Reference) -> Stock:
        # Only here: most copies meet no archive.
        from changeover.sources.oci.docker_archive import DockerArchive  # noqa: PLC0415 - slow
        from changeover.sources.oci.tree_tar import TarTree  # noqa: PLC0415 - slow

        if reference.kind == "oci-archive":
            return Layout(TarTree(reference.path))
        return DockerArchive(TarTree(reference.path))

    def expanded(self, references: Iterable[Reference]) -> list[Reference]:
        """Return every image by itself: a layout or archive without a name is all it holds."""
        return [one for reference in references for one in self._named(reference) or [reference]]

    def held(self, reference: Reference) -> list[Reference]:
        """Return the images of a layout or archive, also those without a name: by their digest."""
        if reference.tag or reference.digest:
            return [reference]
        named = self._named(reference)
        unnamed = self._stock[reference.kind, reference.place].unnamed()
        return [*named, *(replace(reference, digest=digest) for digest in unnamed)]

    def _named(self, reference: Reference) -> list[Reference]:
        if reference.kind == "docker" or reference.tag or reference.digest:
            return []
        self.source(reference)
        names = self._stock[reference.kind, reference.place].names()
        return [reference.tagged(name) for name in names]

    def asked(self, reference: Reference) -> tuple[str, str, str]:
        """Return repository and tag or digest to ask the source for, and the digest to expect."""
        if reference.kind == "docker":
            expected = reference.digest if reference.tag else ""
            return reference.name, reference.tag or reference.wanted, expected
        name, tag = split(reference.tag)
        return name, reference.digest or tag.removeprefix("@"), ""

    def orders(self, references: Sequence[Reference], to: Reference, *, many: bool) -> list[Order]:
        """Return what to copy; `many` keeps paths and tags under the target as a prefix.

        Raises `BadReference`.
        """
        return [self._order(r, to, many=many) for r in references]

    def _order(self, reference: Reference, to: Reference, *, many: bool) -> Order:
        name, tag = _called(reference)
        if to.kind == "docker":
            target_name, target_tag = place_in_registry(name, tag, to, many=many)
            shown = f"{to.host}/{target_name}" + (f":{target_tag}" if target_tag else "")
        else:
            target_name, target_tag = split(to.tag) if to.tag else (name, tag)
            if reference.digest and target_tag in ("", "latest") and not reference.tag:
                target_tag = f"@{reference.digest}"
            shown = f"{to.kind}:{to.path}:{joined(target_name, target_tag)}"
        source_name, wanted, expected = self.asked(reference)
        return Order(
            self.source(reference),
            source_name,
            wanted,
            target_name,
            target_tag,
            str(reference),
            shown,
            expected=expected,
        )


def _called(reference: Reference) -> tuple[str, str]:
    """Return the full name and the tag of an image; no tag where it is known by digest alone."""
    if reference.kind == "docker":
        tag = reference.tag or ("" if reference.digest else "latest")
        return f"{reference.host}/{reference.name}", tag
    name, tag = split(reference.tag)
    return name, "" if tag.startswith("@") else tag


def place_in_registry(name: str, tag: str, to: Reference, *, many: bool) -> tuple[str, str]:
    """Return repository and tag of an image `HOST/NAME` at a target; raises `BadReference`."""
    if not many and to.name:
        return to.name, to.tag or tag
    if to.tag or to.digest:
        raise BadReference(f"{to}: one tag for several images", "leave it out: tags are kept")
    first, slash, rest = name.partition("/")
    path = rest if slash and looks_like_host(first) else name
    whole = "/".join(p for p in (to.name, path) if p)
    if not whole:
        raise BadReference(f"{to.host}: an image without a name", "name it: docker://HOST/NAME:TAG")
    return whole, tag
