"""Traces that package managers leave: dpkg with ucf, and rpm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from changeover.bases.trace import Found, Mark, Place
from changeover.tools import dpkg, rpm, ucf
from changeover.tools.texts import parse_texts

MOST_PACKAGES = 4
"""Old versions of one package that are looked for: each may be a download."""


@dataclass
class DpkgTrace:
    """What dpkg, its logs and backups, and ucf know."""

    place: Place

    @cached_property
    def latest(self) -> Mark | None:
        """Return the MD5 that dpkg, or ucf, has on record now."""
        digest = self._installed.digests.get(self.place.path)
        if digest:
            return Mark(digest, f"{self._owner} {self._installed.version}")
        newest = self._ucf.digests[:1]
        return Mark(newest[0], f"{self._owner or 'ucf'} {self._installed.version}".strip()) \
            if newest else None  # fmt: skip

    @cached_property
    def earlier(self) -> tuple[Mark, ...]:
        """Return the MD5s in dpkg's daily backups, or in ucf's older lists."""
        if self._ucf.digests:
            return tuple(
                Mark(d, f"{self._owner or 'ucf'}, an earlier delivery")
                for d in self._ucf.digests[1:]
            )
        if not self._owner:
            return ()
        asked = dpkg.past_digests(self._owner, self.place.path)
        found = dpkg.parse_past_digests(self.place.host.ask(asked).stdout)
        latest = self.latest.digest if self.latest else ""
        return tuple(Mark(d, f"{self._owner} {v}") for v, d in found.items() if d != latest)

    def texts(self, *, of_latest: bool) -> Iterator[Found]:
        """Yield ucf's copy, then the file out of packages."""
        if self._ucf.cache is not None:
            yield Found(self._ucf.cache, "ucf's cache")
        if not self._owner:
            return
        wanted = (self._installed.version,) if of_latest else self._past[:MOST_PACKAGES]
        folders = (f"{self.place.host.state_dir}/store/packages",)
        asked = dpkg.texts(
            self._owner, wanted, self.place.path, folders, download=self.place.download
        )
        for packed in dpkg.parse_packed(self.place.host.ask(asked).stdout):
            exact = packed.path == self.place.path and packed.version in wanted
            yield Found(packed.text, f"{self._owner} {packed.version}", pristine=exact)

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the versions that were installed before, the newest first."""
        return self._past

    @cached_property
    def _past(self) -> tuple[str, ...]:
        said = self.place.host.ask(dpkg.past_versions(self._owner)).stdout
        return dpkg.parse_past_versions(said, self._installed.version)

    @cached_property
    def _owner(self) -> str:
        said = self.place.host.ask(dpkg.owner(self.place.path))
        return dpkg.parse_owner(said.stdout, self.place.path) if said.ok else self._ucf.owner

    @cached_property
    def _installed(self) -> dpkg.Delivered:
        if not self._owner:
            return dpkg.Delivered()
        said = self.place.host.ask(dpkg.delivered(self._owner))
        return dpkg.parse_delivered(said.stdout) if said.ok else dpkg.Delivered()

    @cached_property
    def _ucf(self) -> ucf.Kept:
        return ucf.parse_kept(self.place.host.ask(ucf.kept(self.place.path)).stdout)


@dataclass
class RpmTrace:
    """What rpm's database and caches of packages know."""

    place: Place

    @cached_property
    def latest(self) -> Mark | None:
        """Return the digest in rpm's database."""
        name, version = self._owner
        if not name:
            return None
        said = self.place.host.ask(rpm.digests(name)).stdout
        digest = rpm.parse_digest(said, self.place.path)
        return Mark(digest, f"{name} {version}") if digest else None

    @property
    def earlier(self) -> tuple[Mark, ...]:
        """Return nothing: rpm forgets what it replaced."""
        return ()

    @property
    def versions(self) -> tuple[str, ...]:
        """Return nothing, for the same reason."""
        return ()

    def texts(self, *, of_latest: bool) -> Iterator[Found]:
        """Yield the file out of every kept package of that name."""
        name, version = self._owner
        folders = (f"{self.place.host.state_dir}/store/packages",)
        if not name:
            return
        said = self.place.host.ask(rpm.texts(name, self.place.path, folders)).stdout
        for found, text in parse_texts(said):
            if of_latest == (found == version):
                yield Found(text, f"{name} {found}")

    @cached_property
    def _owner(self) -> tuple[str, str]:
        said = self.place.host.ask(rpm.owner(self.place.path))
        return rpm.parse_owner(said.stdout) if said.ok else ("", "")
