"""Tags at a registry before a step touched them, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from changeover.sources.oci.client import Client
from changeover.sources.oci.fault import ImageFault, Missing
from changeover.sources.oci.order import Order
from changeover.sources.oci.registry import Registry


@dataclass(frozen=True)
class Tag:
    """A tag, the digest it had, and the one it is about to get."""

    name: str
    tag: str
    old: str
    """Empty where it was not there."""
    new: str

    @classmethod
    def read(cls, tree: Mapping[str, Any]) -> Tag:
        """Return a tag from a plan or a journal."""
        return cls(str(tree["name"]), str(tree["tag"]), str(tree["old"]), str(tree["new"]))


def tag_states(client: Client, orders: Iterable[Order]) -> list[dict[str, str]]:
    """Return the tags of orders that are to change, as they are now."""
    found = []
    for order in orders:
        target = client.registry(order.shown_target.partition("/")[0])
        wanted = order.target_tag or order.wanted
        old = target.resolve(order.target_name, wanted) or ""
        new = order.source.manifest(order.name, order.wanted).digest
        if old != new:
            found.append(asdict(Tag(order.target_name, wanted, old, new)))
    return found


def still_changed(client: Client, host: str, tags: Iterable[Tag]) -> list[Tag]:
    """Return the tags that are not as they were."""
    registry = client.registry(host)
    return [t for t in tags if registry.resolve(t.name, t.tag) not in (None, t.old)]


def take_back(client: Client, host: str, tags: Iterable[Tag]) -> None:
    """Give tags their old digests; remove those that were not there. Safe to repeat.

    Deleting by digest takes every tag of it along, so that happens only where no other tag has it.
    Raises `ImageFault` where the registry does neither.
    """
    registry = client.registry(host)
    kept = [tag for tag in tags if not _taken_back(registry, tag)]
    if kept:
        names = ", ".join(f"{host}/{t.name}:{t.tag}" for t in kept)
        raise ImageFault(
            f"{names}: the registry removes no tags",
            "its administrator may; the images do no harm there",
        )


def _taken_back(registry: Registry, tag: Tag) -> bool:
    now = registry.resolve(tag.name, tag.tag)
    if now is None or now == tag.old:
        return True
    if tag.old:
        try:
            registry.put_manifest(tag.name, tag.tag, registry.manifest(tag.name, tag.old))
        except Missing:
            raise ImageFault(
                f"{registry.place}/{tag.name}@{tag.old}: is gone: {tag.tag} cannot go back to it",
                "copy the older image there again",
            ) from None
        return True
    if registry.delete_tag(tag.name, tag.tag) and registry.resolve(tag.name, tag.tag) is None:
        return True
    others = (t for t in registry.tags(tag.name) if t != tag.tag)
    if any(registry.resolve(tag.name, t) == now for t in others):
        return False
    return registry.delete_tag(tag.name, now)
