"""Releases in folders: one release, or a hub with all releases of its products.

A hub is `<product>/<version>/release.yaml` or `<version>/release.yaml`. Listing one reads only the
top of each manifest (where it may be come from, what stands against it); a release is read as a
whole, checked and digested when it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from changeover.errors import InvalidInput, InvalidRelease
from changeover.model.problem import suggestion
from changeover.model.release import Release, Risk, Stop
from changeover.model.text import Text
from changeover.sources.bundle import bundle_digest
from changeover.sources.checked import insist
from changeover.sources.heading import read_heading
from changeover.sources.manifest_build import MANIFEST, made_risks, made_stops, read_manifest
from changeover.sources.versions import version_key


@dataclass(frozen=True)
class Listed:
    """A release of a hub as its heading shows it: enough to find a route."""

    product: str
    version: str
    folder: Path
    origins: str = ""
    stops: tuple[Stop, ...] = ()
    withdrawn: Text = field(default_factory=Text)
    title: Text = field(default_factory=Text)
    risks: tuple[Risk, ...] = ()
    deploys: str = ""
    revision: int = 1
    impact: str = "degraded"

    def load(self) -> Release:
        """Read and check the whole release; raise `InvalidRelease` with all problems."""
        release = load_release(self.folder)
        if (release.product, release.version) != (self.product, self.version):
            raise InvalidRelease(f"{self.folder}: changed while it was read", "try again")
        return release


def load_release(folder: Path) -> Release:
    """Read a release folder; raise `InvalidRelease` with all that is wrong and where."""
    if not (folder / MANIFEST).is_file():
        raise InvalidRelease(
            f"{folder}: is not a release: it has no {MANIFEST}", "name the folder of one release"
        )
    digest = bundle_digest(folder)
    manifest, problems = read_manifest(folder)
    insist(problems, InvalidRelease)
    if manifest is None:
        raise InvalidRelease(f"{folder}/{MANIFEST}: cannot be read")
    return manifest.release(digest)


def hub_releases(hub: Path, product: str = "") -> list[Listed]:
    """Return the releases of a hub (of one product), oldest first; later revisions win."""
    if not hub.is_dir():
        raise InvalidInput(f"{hub}: no such folder", "correct `hubs:` in instance.yaml")
    found = map(_listed, _release_folders(hub, product))
    return _newest_revisions(r for r in found if product in ("", r.product))


def releases_of(hubs: Sequence[Path], product: str) -> list[Listed]:
    """Return all releases of a product in several hubs; the first hub wins among equals."""
    found = _newest_revisions(r for hub in hubs for r in hub_releases(hub, product))
    if not found:
        places = ", ".join(map(str, hubs)) or "no hub is named"
        raise InvalidInput(
            f"no release of {product} found: {places}", "name its folder under `hubs:`"
        )
    return found


def release_called(releases: Iterable[Listed], version: str) -> Listed:
    """Return the release of a version (`latest`: the newest that is not withdrawn)."""
    known = list(releases)
    if version == "latest":
        usable = [r for r in known if not r.withdrawn]
        if usable:
            return usable[-1]
    exact = [r for r in known if r.version == version]
    alike = exact or [r for r in known if _same_version(r.version, version)]
    if not alike:
        names = [r.version for r in known]
        raise InvalidInput(f"no release {version}", suggestion(version, names))
    return alike[0]


def _same_version(one: str, other: str) -> bool:
    try:
        return version_key(one) == version_key(other)
    except InvalidInput:
        return False


def _newest_revisions(releases: Iterable[Listed]) -> list[Listed]:
    best: dict[tuple[object, ...], Listed] = {}
    for release in releases:
        key = (release.product, version_key(release.version))
        held = best.get(key)
        if held is None or release.revision > held.revision:
            best[key] = release
    return [best[key] for key in sorted(best, key=lambda k: (str(k[0]), k[1]))]


def _release_folders(hub: Path, product: str) -> Iterator[Path]:
    if (hub / MANIFEST).is_file():
        yield hub
        return
    own = hub / product if product else None
    tops = [own] if own and own.is_dir() else _subfolders(hub)
    for top in tops:
        if (top / MANIFEST).is_file():
            yield top
        else:
            yield from (f for f in _subfolders(top) if (f / MANIFEST).is_file())


def _subfolders(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]


def _listed(folder: Path) -> Listed:
    heading, tree = read_heading(folder / MANIFEST)
    return Listed(
        heading.product,
        heading.version,
        folder,
        heading.from_,
        made_stops(heading.stops),
        Text(heading.withdrawn),
        Text(heading.title),
        made_risks(heading.risks, tree),
        heading.deploys,
        heading.revision,
        heading.impact,
    )
