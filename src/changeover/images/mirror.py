"""Images brought to the registry an instance uses, before anything stops."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from changeover.actions.base import Action
from changeover.errors import ActionFailed, ChangeoverError, InvalidRelease
from changeover.hosts.host import Host
from changeover.images.space import Room, room_findings, room_for, shown
from changeover.images.tags import Tag, still_changed, tag_states, take_back
from changeover.model.findings import Finding, failed, passed, warned
from changeover.model.plan import Change, Effect
from changeover.sources.oci.client import Client, Settings
from changeover.sources.oci.copier import Copier, Options
from changeover.sources.oci.credential import Credential
from changeover.sources.oci.fault import ImageFault
from changeover.sources.oci.given import given_credentials, reached
from changeover.sources.oci.order import ImageResult, Order, Status, Summary
from changeover.sources.oci.patience import Budget
from changeover.sources.oci.places import Places
from changeover.sources.oci.reference import parse_place, parse_reference
from changeover.sources.oci.uploads import uploads_folder


@dataclass(frozen=True)
class Registry:
    """How a registry is reached."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    plain_http: bool = False
    ca: str = ""


@dataclass(frozen=True)
class Mirror(Action):
    """Copy images to the instance's registry, from this machine; what is there is not sent again.

    Every reference and every credential is tried while planning: an image that is missing is found
    then, and not in the downtime. Undo puts tags back to what they were and removes only what
    this step brought. Belongs in the phase `prepare`, on one host: `on: {role: ..., once: true}`.
    """

    name: ClassVar[str] = "images.mirror"
    limit: ClassVar[float] = 4 * 3600.0
    supplied: ClassVar[Mapping[str, str]] = {
        "images": "{{ release.images }}",
        "registries": "{{ registries }}",
    }

    to: str
    """The registry and prefix they go to, `HOST[/PREFIX]`; paths and tags are kept under it."""
    images: Mapping[str, str] | tuple[str, ...] = ()
    """What to copy, such as `docker.io/library/redis:7@sha256:...`; of the release's `images:` all
    that this instance needs, unless something is written here."""
    source: str = ""
    """A layout (`oci:FOLDER`) to read all of them from instead, for a place without a network."""
    platform: str = ""
    """Of each index only this image, such as `linux/amd64`."""
    plain_http: tuple[str, ...] = ()
    """Registries that are spoken to without TLS."""
    authorities: tuple[str, ...] = ()
    """Files of certificates to trust, on this machine."""
    registries: Mapping[str, Registry] = field(default_factory=dict)
    """How registries are reached, by host: the instance's `registries:`, unless written here."""
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Registry: `user:password`, from the instance's secrets, before all other credentials."""
    jobs: int = 6
    """Requests at a time to one registry."""
    storage: str = ""
    """Where the registry keeps its blobs, if it is on this host: that there is room is checked."""
    unpacked_in: str = ""
    """Where this host's engine keeps images, such as `/var/lib/docker`: that there is room for all
    that is new, compressed and unpacked, is checked."""

    def __post_init__(self) -> None:
        for host, pair in self.credentials.items():
            if ":" not in pair:
                raise InvalidRelease(
                    f"{self.name}: credentials: {host}: not user:password", "Write both."
                )
        for written in (*self.wanted, self.to):
            try:
                (parse_place if written == self.to else parse_reference)(written)
            except ChangeoverError as error:
                raise InvalidRelease(f"{self.name}: {error.message}", error.remedy) from None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The references to copy."""
        images = self.images
        return tuple(images.values()) if isinstance(images, Mapping) else images

    def check(self, host: Host) -> Iterable[Finding]:
        """Try every reference and credential, and tell how much would move."""
        summary, room = self._copied(dry_run=True)
        for image in summary.failed:
            yield failed(image.error, image.remedy or "Correct the release, or the registry.")
        if any(image.status is Status.PLANNED for image in summary.images):
            yield from self._unwritable()
        for image in summary.images:
            if image.overwrote:
                yield warned(f"{image.target}: the tag is replaced; it was {image.overwrote}")
        if not summary.failed:
            yield passed(f"{len(summary.images)} images are there; {_moved(room)}")
        if self.storage:
            yield from room_findings(host, self.storage, room.target, "the registry needs")
        if self.unpacked_in:
            yield from room_findings(host, self.unpacked_in, room.hosts, "the images need up to")

    def plan(self, host: Host) -> Change:
        """Ask both registries; nothing is copied."""
        if not self.wanted:
            return Change(Effect.NONE, "there are no images to copy")
        summary, room = self._copied(dry_run=True)
        if summary.failed:
            first = summary.failed[0]
            raise ActionFailed(f"{self.name}: {first.error}", first.remedy)
        needed = [i for i in summary.images if i.status is Status.PLANNED]
        facts = {f"image {i.source}": i.digest for i in summary.images}
        if not needed:
            return Change(Effect.NONE, f"all {len(facts)} images are at {self.to}", facts=facts)
        with self._client() as client:
            before = {"tags": tag_states(client, self._orders(client))}
        return Change(
            Effect.UPDATE if any(i.overwrote for i in needed) else Effect.CREATE,
            f"copy {len(needed)} of {len(facts)} images to {self.to}: {_moved(room)}",
            diff="".join(_line(i) for i in needed),
            before=before,
            facts=facts,
        )

    def apply(self, host: Host, change: Change) -> None:
        """Copy what is missing; one bad image does not stop the others."""
        summary, _ = self._copied(dry_run=False)
        if summary.failed:
            what = "; ".join(i.error for i in summary.failed[:5])
            count = f"{len(summary.failed)} of {len(summary.images)} images"
            raise ActionFailed(
                f"{host.name}: {self.name}: {count} are missing: {what}",
                summary.failed[0].remedy or "Run it again: it does only what is left.",
            )

    def plan_undo(self, host: Host, change: Change) -> Change:
        """Say which tags go back, and which go."""
        with self._client() as client:
            written = [Tag.read(t) for t in change.before.get("tags", [])]
            tags = still_changed(client, parse_place(self.to).host, written)
        back = [t for t in tags if t.old]
        summary = f"put {len(back)} tags back and remove {len(tags) - len(back)} at {self.to}"
        return Change(Effect.DELETE if tags else Effect.NONE, summary)

    def undo(self, host: Host, change: Change) -> None:
        """Put tags back; remove only what this step brought and no other tag names."""
        tags = [Tag.read(t) for t in change.before.get("tags", [])]
        with self._client() as client:
            try:
                take_back(client, parse_place(self.to).host, tags)
            except ImageFault as fault:
                raise ActionFailed(f"{host.name}: {fault.message}", fault.remedy) from None

    def _unwritable(self) -> Iterable[Finding]:
        """Begin and cancel an upload: that one may read a registry says nothing about writing."""
        with self._client() as client:
            for order in self._orders(client)[:1]:
                target = client.registry(parse_place(self.to).host)
                try:
                    target.uploader.tried(order.target_name)
                except ImageFault as fault:
                    yield failed(f"{self.to}: cannot be written: {fault.message}", fault.remedy)

    def _copied(self, *, dry_run: bool) -> tuple[Summary, Room]:
        budget = Budget()
        options = Options(jobs=self.jobs, platform=self.platform, dry_run=dry_run, budget=budget)
        with self._client(budget) as client:
            try:
                orders = self._orders(client)
                target = Places(client).target(parse_place(self.to), dry=dry_run)
                copier = Copier(target, options)
                summary = copier.run(orders)
                if summary.stopped:
                    raise KeyboardInterrupt
                return summary, room_for(summary.bytes, copier.brought())
            except ImageFault as fault:
                raise ActionFailed(f"{self.name}: {fault.message}", fault.remedy) from None

    def _orders(self, client: Client) -> list[Order]:
        references = [parse_reference(i) for i in self.wanted]
        if self.source:
            references = [parse_reference(f"{self.source}:{r}") for r in references]
        return Places(client).orders(references, parse_place(self.to), many=True)

    @contextlib.contextmanager
    def _client(self, budget: Budget | None = None) -> Iterator[Client]:
        given = given_credentials(self.registries)
        for host, pair in self.credentials.items():
            user, _, password = pair.partition(":")
            given[host] = Credential(user, password)
        network = reached(
            self.registries, plain_http=self.plain_http, authorities=map(Path, self.authorities)
        )
        uploads = uploads_folder(os.environ)
        with Client(Settings(network, budget or Budget(), given, uploads)) as client:
            yield client


def _moved(room: Room) -> str:
    moved = f"{shown(room.target)} to move" if room.target else "nothing to move"
    pulled = f"; a host that pulls all of it needs up to {shown(room.hosts)}" if room.hosts else ""
    return moved + pulled


def _line(image: ImageResult) -> str:
    was = f" (was {image.overwrote})" if image.overwrote else ""
    return f"+ {image.target} {image.digest}{was}\n"
