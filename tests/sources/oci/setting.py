"""Short words for what most tests of images do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from changeover.sources.oci import sample
from changeover.sources.oci.archive_target import LayoutArchive
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.copier import Copier, Options
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.network import Network
from changeover.sources.oci.order import ImageResult, Summary
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import parse_place, parse_reference
from changeover.sources.oci.sample import Sample


def quick() -> Budget:
    """Return a budget for tests; each has its own stop."""
    return Budget(attempts=6, seconds=5.0, first_delay=0.001, longest_delay=0.01)


def client_to(
    *hosts: str,
    given: Mapping[str, Credential] | None = None,
    uploads: Path | None = None,
    budget: Budget | None = None,
    environ: Mapping[str, str] | None = None,
    silence: float = 10.0,
) -> Client:
    """Return a client that speaks plain HTTP to these hosts and knows no user's files."""
    network = Network(
        frozenset(hosts), environ={"HOME": "/nonexistent", **(environ or {})}, silence=silence
    )
    return Client(Settings(network, budget or quick(), given or {}, uploads))


def copied(client: Client, sources: list[str], target: str, **options: object) -> Summary:
    """Copy as the command does."""
    places, to = Places(client), parse_place(target)
    images = places.expanded([parse_reference(s) for s in sources])
    many = len(images) > 1 or not to.name or target.endswith("/")
    orders = places.orders(images, to, many=many)
    shelf = places.target(to)
    budget = client.settings.budget
    summary = Copier(shelf, Options(budget=budget, **options)).run(orders)  # type: ignore[arg-type]  # options by name
    if isinstance(shelf, LayoutArchive):
        shelf.finish()
    return summary


def one(summary: Summary) -> ImageResult:
    """Return the only result, which is not a failure."""
    assert [i.error for i in summary.failed] == []
    assert len(summary.images) == 1
    return summary.images[0]


def pushed(registry: MemoryRegistry, name: str, tag: str, thing: Sample) -> Sample:
    """Put a sample into a registry in memory."""
    with client_to(registry.host) as client:
        sample.push(client.registry(registry.host), name, tag, thing)
    registry.requests.clear()
    return thing


def holds(registry: MemoryRegistry, name: str, tag: str, thing: Sample) -> bool:
    """Tell whether a registry has a sample, whole and with the same bytes."""
    found = registry.manifests.get((name, tag))
    whole = all(registry.blobs.get((name, d)) == c for d, c in thing.all_blobs().items())
    children = all(holds(registry, name, c.digest, c) for c in thing.children)
    return found is not None and found[1] == thing.manifest.body and whole and children
