"""One OCI registry: manifests, blobs, tags and referrers."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from changeover.sources.oci.authority import scope
from changeover.sources.oci.connection import Connection, refused, skip_bytes, small
from changeover.sources.oci.fault import Corrupt, Denied, ImageFault, Missing, Passing, Unsupported
from changeover.sources.oci.media import (
    ACCEPT,
    OCI_INDEX,
    Descriptor,
    Manifest,
    index_body,
    parse_manifest,
)
from changeover.sources.oci.medium import Outcome
from changeover.sources.oci.passage import Passage, Stream
from changeover.sources.oci.reference import is_digest, is_tag
from changeover.sources.oci.upload import Uploader
from changeover.sources.oci.uploads import UploadLog
from changeover.sources.oci.wire import Answer

MOST_PAGES = 10_000
_NEXT = re.compile(r'<([^<>]*+)>[^<]*?;\s*rel\s*=\s*"?next\b', re.IGNORECASE)
_ELSEWHERE = (
    "a layer of it is kept at another place, which some registries refuse: their administrator "
    "allows its address (docker-registry: validation.manifests.urls.allow)"
)
T = TypeVar("T")


class Registry:
    """A registry as a source and a target; safe for many threads."""

    pooled = False

    def __init__(self, connection: Connection, log: UploadLog) -> None:
        self.place = connection.host
        self.connection = connection
        self.uploader = Uploader(connection, log)
        self._has_referrers = True
        self._merging = threading.Lock()

    def manifest(self, name: str, wanted: str) -> Manifest:
        """Return the manifest of a tag or digest; raises `Missing`, `Corrupt`."""
        where = self._named(name, wanted)
        digest = wanted if is_digest(wanted) else ""
        try:
            return self.connection.budget.tries(lambda: self._manifest(name, wanted, digest, where))
        except Corrupt:
            # Bytes are damaged on the way more often than at rest: once more.
            return self.connection.budget.tries(lambda: self._manifest(name, wanted, digest, where))

    def _manifest(self, name: str, wanted: str, digest: str, where: str) -> Manifest:
        url = self.connection.url(name, "manifests", wanted)
        with self.connection.once("GET", url, (scope(name),), {"Accept": ACCEPT}) as answer:
            if answer.status != 200:
                raise refused(answer, where)
            body = small(answer, where)
            named = answer.headers.get("Docker-Content-Digest", "")
            if not digest and is_digest(named):
                digest = named
            return parse_manifest(body, where, answer.headers.get("Content-Type", ""), digest)

    def resolve(self, name: str, wanted: str) -> str | None:
        """Return the digest a tag or digest has here; none where it is not."""
        url = self.connection.url(name, "manifests", wanted)
        with self.connection.get(url, (scope(name),), {"Accept": ACCEPT}, "HEAD") as answer:
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise refused(answer, self._named(name, wanted))
            digest = answer.headers.get("Docker-Content-Digest", "")
        return digest if is_digest(digest) else self.manifest(name, wanted).digest

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return a blob's size; none where it is not, -1 where the registry does not say."""
        url = self.connection.url(name, "blobs", digest)
        with self.connection.get(url, (scope(name),), {}, "HEAD") as answer:
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise refused(answer, self._named(name, digest))
            return -1 if answer.length is None else answer.length

    def open(self, name: str, blob: Descriptor, offset: int) -> Stream:
        """Open a blob at an offset, whether or not the registry knows ranges."""
        headers = {"Range": f"bytes={offset}-{blob.size - 1}"} if offset else {}
        url = self.connection.url(name, "blobs", blob.digest)
        where = self._named(name, blob.digest)
        answer = self.connection.once("GET", url, (scope(name),), headers)
        if answer.status not in (200, 206):
            with answer:
                raise refused(answer, where)
        skip = offset
        if answer.status == 206:
            begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
            skip = offset - int(begins[1]) if begins else 0
        elif answer.length is not None and answer.length != blob.size:
            answer.close()
            raise Corrupt(
                f"{where}: {answer.length} bytes instead of {blob.size}",
                "the source is damaged: push the image there again",
            )
        if skip < 0:
            answer.close()
            raise Unsupported(f"{where}: another range than the one asked for", "copy it again")
        skip_bytes(answer, skip)
        return answer

    def tags(self, name: str) -> tuple[str, ...]:
        """Return all tags of a repository, page by page; none where it does not exist."""
        url = self.connection.url(name, "tags/list")
        return tuple(self._paged(url, partial(self._tag_page, name)))

    def referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        """Return what the registry itself knows to point at a manifest, page by page."""
        try:
            return self._referrers(name, digest)
        except Missing:
            return ()

    def _referrers(self, name: str, digest: str) -> tuple[Descriptor, ...]:
        if not self._has_referrers:
            return ()
        url = self.connection.url(name, "referrers", digest)
        return tuple(self._paged(url, lambda here: self._referring(name, digest, here)))

    def _referring(self, name: str, digest: str, url: str) -> tuple[Sequence[Descriptor], str]:
        where = self._named(name, digest)
        with self.connection.once("GET", url, (scope(name),), {"Accept": OCI_INDEX}) as answer:
            if answer.status == 404 and b"_UNKNOWN" in answer.read(8192):
                # Some that have them say so of a manifest that nothing refers to.
                raise Missing(f"{where}: no referrers")
            if answer.status != 200:
                self._has_referrers = False
                return (), ""
            body, kind = small(answer, where), answer.headers.get("Content-Type")
            following = self._following(answer)
        try:
            return parse_manifest(body, where, OCI_INDEX).children, following
        except (Corrupt, Unsupported):
            if kind.startswith(OCI_INDEX):
                raise
            # A page of a proxy or a portal: nothing the specification knows.
            self._has_referrers = False
            return (), ""

    def put_manifest(self, name: str, wanted: str, manifest: Manifest) -> None:
        """Store a manifest under a tag or its digest; its bytes stay as they are."""
        url = self.connection.url(name, "manifests", wanted)
        headers = {"Content-Type": manifest.media_type}
        scopes = (scope(name, push=True),)
        try:
            answer = self.connection.budget.tries(
                lambda: self.connection.once("PUT", url, scopes, headers, manifest.body)
            )
        except Passing as fault:
            if any(blob.elsewhere for blob in manifest.blobs):
                raise ImageFault(fault.message, _ELSEWHERE) from None
            raise
        with answer:
            if answer.status not in (200, 201, 202):
                raise refused(answer, self._named(name, wanted))

    def attach(self, name: str, manifest: Manifest) -> None:
        """Make sure that the subject leads to a manifest: merge it into the fallback tag.

        The specification wants that where a registry keeps no referrers itself.
        """
        subject = manifest.subject.digest if manifest.subject else manifest.digest
        if self._refers(name, subject, manifest.digest):
            return
        tag = subject.replace(":", "-")
        with self._merging:
            # Read again after each write: another run may write the same tag.
            while not self._has_referrers:
                index = self._fallback(name, tag)
                if any(d.digest == manifest.digest for d in index.children):
                    return
                merged = index_body((*index.children, manifest.descriptor), index.annotations)
                self.put_manifest(name, tag, parse_manifest(merged, name))

    def _refers(self, name: str, subject: str, digest: str) -> bool:
        try:
            return any(d.digest == digest for d in self._referrers(name, subject))
        except (Denied, Missing):
            self._has_referrers = False
            return False

    def _fallback(self, name: str, tag: str) -> Manifest:
        try:
            return self.manifest(name, tag)
        except Missing:
            return parse_manifest(index_body(()), name)

    def put_blob(self, name: str, blob: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Store a blob, mounted from another repository where the registry allows that."""
        return self.uploader.put(name, blob, nearby)

    def delete_blob(self, name: str, digest: str) -> bool:
        """Ask the registry to remove a blob; false where it does not allow that."""
        return self._deleted(self.connection.url(name, "blobs", digest), name)

    def delete_tag(self, name: str, tag: str) -> bool:
        """Ask the registry to remove a tag or manifest; false where it does not allow that."""
        return self._deleted(self.connection.url(name, "manifests", tag), name)

    def _deleted(self, url: str, name: str) -> bool:
        # Deleting is a right of its own: a token for pushing alone would be refused.
        scopes = (f"repository:{name}:delete,pull,push",)
        try:
            with self.connection.get(url, scopes, {}, "DELETE") as answer:
                return answer.status in (200, 202, 204, 404)
        except Denied:
            return False

    def _paged(self, url: str, page: Callable[[str], tuple[Iterable[T], str]]) -> Iterator[T]:
        """Yield what all pages list; raises `Unsupported` where they never end."""
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) > MOST_PAGES:
                raise Unsupported(f"{self.place}: its lists never end", "ask its administrator")
            seen.add(url)
            items, url = self.connection.budget.tries(partial(page, url))
            yield from items

    def _tag_page(self, name: str, url: str) -> tuple[list[str], str]:
        with self.connection.once("GET", url, (scope(name),)) as answer:
            if answer.status == 404:
                return [], ""
            if answer.status != 200:
                raise refused(answer, f"{self.place}/{name}")
            following = self._following(answer)
            try:
                tags = json.loads(small(answer, self.place)).get("tags") or []
                return [tag for tag in map(str, tags) if is_tag(tag)], following
            except (ValueError, AttributeError, TypeError, RecursionError):
                raise Passing(f"{self.place}/{name}: its list of tags is no JSON") from None

    def _following(self, answer: Answer) -> str:
        found = _NEXT.search(", ".join(answer.headers.get_all("Link")))
        return self.connection.location(answer, found[1]) if found else ""

    def _named(self, name: str, wanted: str) -> str:
        return f"{self.place}/{name}" + ("@" if is_digest(wanted) else ":") + wanted
