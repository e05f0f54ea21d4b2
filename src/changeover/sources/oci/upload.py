"""Storing blobs in a registry: mounted, in one PUT, or in chunks where somebody wants that."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from changeover.sources.oci.authority import Scopes, scope
from changeover.sources.oci.connection import Connection, complaint, refused
from changeover.sources.oci.fault import ImageFault, Passing, Unsupported
from changeover.sources.oci.media import Descriptor
from changeover.sources.oci.medium import Outcome
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Patience
from changeover.sources.oci.uploads import Session, UploadLog

FIRST_CHUNK = 32 << 20
LEAST_CHUNK = 1 << 20
_NOTHING = Descriptor("", "sha256:" + "0" * 64, 0)
_OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass
class _Upload:
    """An open session and how far it is."""

    name: str
    url: str
    recorded: str
    """The address it was recorded under; registries give a new one with every answer."""
    scopes: Scopes
    least_chunk: int = 0
    offset: int = 0


class Uploader:
    """Uploads to one registry; remembers that it wants chunks."""

    def __init__(self, connection: Connection, log: UploadLog) -> None:
        self._connection, self._log = connection, log
        self.chunk = 0
        """Bytes per request; 0 means a blob in one."""
        self._refusals: Counter[tuple[str, str]] = Counter()

    @property
    def notes(self) -> list[str]:
        """Say which uploads the registry would not cancel."""
        return [
            f"{self._connection.host}/{name}: {count} upload{'s' * (count != 1)} that broke off: "
            f"the registry would not cancel ({why}); its own purge removes what it kept"
            for (name, why), count in sorted(self._refusals.items())
        ]

    def put(self, name: str, passage: Passage, nearby: tuple[str, ...]) -> Outcome:
        """Store one blob; raises `ImageFault` once the budget is spent, with its session gone."""
        patience = Patience(self._connection.budget)
        upload: _Upload | None = None
        furthest = 0
        try:
            while True:
                try:
                    upload = upload or self._begun(name, passage.blob, nearby)
                    if upload is None:
                        return Outcome.MOUNTED
                    self._send(upload, passage)
                    self._log.closed(upload.recorded)
                    return Outcome.SENT
                except Passing as fault:
                    passage.close()
                    patience.wait(fault)
                upload = self._resumed(upload, passage) if upload else None
                if passage.position > furthest:
                    furthest = passage.position
                    patience.got_on()
        except BaseException:
            if upload:
                self._cancel(upload)
            raise
        finally:
            passage.close()

    def tried(self, name: str) -> None:
        """Begin an upload and cancel it; raises `Denied` where we may not write to a repository."""
        upload = self._connection.budget.tries(lambda: self._begun(name, _NOTHING, ()))
        if upload:
            self._cancel(upload)

    def cancel_abandoned(self) -> None:
        """Cancel what killed runs left at this registry."""
        for session in self._log.abandoned(self._connection.host):
            scopes = (scope(session.name, push=True),)
            upload = _Upload(session.name, session.url, session.url, scopes)
            # Ours from here on: if it cannot be reached now, the run after this one knows of it.
            self._log.opened(session)
            self._cancel(upload)

    def _begun(self, name: str, blob: Descriptor, nearby: tuple[str, ...]) -> _Upload | None:
        url = self._connection.url(name, "blobs", "uploads") + "/"
        scopes: Scopes = (scope(name, push=True),)
        if nearby:
            url += f"?mount={blob.digest}&from={nearby[0]}"
            scopes += (scope(nearby[0]),)
        with self._connection.once("POST", url, scopes, {}, b"") as answer:
            location = self._connection.location(answer)
            opened = answer.status == 202 or (answer.status == 201 and "/uploads/" in location)
            if answer.status == 201 and nearby and not opened:
                return None
            if not opened or not location:
                raise refused(answer, f"{self._connection.host}/{name}")
            least = answer.headers.get("OCI-Chunk-Min-Length", "")
        self._log.opened(Session(self._connection.host, name, location))
        length = int(least) if least.isdecimal() else 0
        return _Upload(name, location, location, (scope(name, push=True),), length)

    def _send(self, upload: _Upload, passage: Passage) -> None:
        if passage.position != upload.offset or upload.offset == 0:
            passage.move_to(upload.offset)
        in_pieces = self.chunk or upload.offset
        while in_pieces and passage.left:
            self._send_chunk(upload, passage)
        joint = "&" if "?" in upload.url else "?"
        url = f"{upload.url}{joint}digest={passage.blob.digest}"
        body = passage.part() if passage.left else b""
        answer = self._connection.once("PUT", url, upload.scopes, _OCTETS, body)
        if answer.status == 413 and not in_pieces:
            self._want_chunks(FIRST_CHUNK)
            answer.close()
            raise Passing(f"{self._connection.host}: wants chunks", retry_after=0.0)
        if answer.status == 201:
            answer.close()
            return
        self._doubtful(answer.status, complaint(answer), upload, passage)

    def _doubtful(self, status: int, said: str, upload: _Upload, passage: Passage) -> None:
        """Believe an unusual answer only if the blob is there."""
        where = f"{self._connection.host}/{upload.name}@{passage.blob.digest}"
        if 200 <= status < 300:
            url = self._connection.url(upload.name, "blobs", passage.blob.digest)
            with self._connection.once("HEAD", url, upload.scopes) as answer:
                if answer.status == 200:
                    return
        elif status not in (400, 404, 413, 416):
            raise Unsupported(f"{where}: upload refused: {said}", "see the registry's log")
        raise Passing(f"{where}: upload ended with {said}", "see the registry's log")

    def _send_chunk(self, upload: _Upload, passage: Passage) -> None:
        size = max(self.chunk or FIRST_CHUNK, upload.least_chunk)
        part = passage.part(size)
        first = passage.position
        headers = {**_OCTETS, "Content-Range": f"{first}-{first + part.length - 1}"}
        answer = self._connection.once("PATCH", upload.url, upload.scopes, headers, part)
        if answer.status == 413:
            answer.close()
            self._want_chunks(size // 2)
            raise Passing(f"{self._connection.host}: wants smaller chunks", retry_after=0.0)
        if not 200 <= answer.status < 300:
            said = complaint(answer)
            raise Passing(f"{self._connection.host}: refused a chunk with {said}", "see its log")
        with answer:
            upload.url = self._connection.location(answer) or upload.url
            kept = answer.headers.get("Range")
        # What leaves it out has all of it: the digest at the end says if it has not.
        offset = _offset(kept) if kept else passage.position
        if answer.status != 202 or offset is None:
            offset = self._asked(upload)
        if offset != passage.position:
            raise Passing(f"{self._connection.host}: kept {offset} bytes of a chunk", "try again")
        upload.offset = offset

    def _want_chunks(self, size: int) -> None:
        if size < LEAST_CHUNK:
            raise Unsupported(
                f"{self._connection.host}: refuses uploads of {LEAST_CHUNK} bytes as too large",
                "raise the limit of the proxy in front of it (client_max_body_size in nginx)",
            )
        self.chunk = size

    def _asked(self, upload: _Upload) -> int | None:
        with self._connection.once("GET", upload.url, upload.scopes) as answer:
            if answer.status not in (202, 204):
                return None
            upload.url = self._connection.location(answer) or upload.url
            return _offset(answer.headers.get("Range", ""))

    def _resumed(self, upload: _Upload, passage: Passage) -> _Upload | None:
        try:
            offset = self._asked(upload)
        except ImageFault:
            offset = None
        if offset is None or not 0 < offset <= passage.blob.size:
            self._cancel(upload)
            passage.move_to(0)
            return None
        upload.offset = offset
        passage.move_to(offset)
        return upload

    def _cancel(self, upload: _Upload) -> None:
        """End a session once; what cannot be reached now stays recorded for the next run."""
        try:
            answer = self._connection.once("DELETE", upload.url, upload.scopes)
            why = "" if answer.status in (200, 202, 204) else complaint(answer)
            answer.close()
        except Passing:
            return
        except ImageFault:
            why = "403"
        self._log.closed(upload.recorded)
        # docker-registry ends and goes on with nothing whose bytes it got are not those of the
        # address it gave: a request that was cut. Without a secret of its own, nor after a restart.
        if why and (not why.startswith("404") or "INVALID" in why):
            self._refusals[upload.name, why] += 1


def _offset(header: str) -> int | None:
    """Read `Range: 0-N`, the last byte kept; `0-0` is what registries say for nothing too."""
    found = re.fullmatch(r"(?:bytes=)?0-(-?\d+)", header.strip())
    if not found:
        return None
    return int(found[1]) + 1 if int(found[1]) > 0 else 0
