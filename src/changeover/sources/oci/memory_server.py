"""The HTTP side of the registry in memory."""

from __future__ import annotations

import json
import re
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from changeover.sources.oci.media import OCI_INDEX, digest_of, index_body, parse_manifest

_UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/([0-9a-f]*)")
_BLOB = re.compile(r"/v2/(.+)/blobs/(sha\d+:[0-9a-f]+)")
_MANIFEST = re.compile(r"/v2/(.+)/manifests/([^/]+)")
_TAGS = re.compile(r"/v2/(.+)/tags/list")
_REFERRERS = re.compile(r"/v2/(.+)/referrers/([^/]+)")


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    status: int = 0
    """Answer with this; 0 means as usual."""
    headers: tuple[tuple[str, str], ...] = ()
    cut_after: int = -1
    """Close the connection after so many bytes of the body; -1 means never."""
    flip: int = -1
    """Alter this byte of what is sent; -1 means none."""
    stall: threading.Event | None = None
    """Say nothing until it is set."""


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    query: str
    authorization: str = ""
    size: int = 0


@dataclass
class Manner:
    """What kind of registry it is."""

    referrers: bool = True
    ranges: bool = True
    digest_header: bool = True
    mounts: bool = True
    largest_body: int = 0
    """Larger bodies are refused with 413; 0 means none are."""
    chunk_status: int = 202
    keeps_bad: bool = False
    """Keeps the bytes of a blob although it was deleted and sent anew, as Debian's does."""
    cancels: bool = True
    page: int = 0
    """Tags per page; 0 means all."""
    challenge: str = ""
    """The WWW-Authenticate header of requests without `allowed`."""
    allowed: Callable[[str], bool] = lambda _: True


@dataclass
class Contents:
    """What a registry in memory holds, how it behaves, and what it was asked."""

    manner: Manner = field(default_factory=Manner)
    script: Callable[[Request], Fault | None] = lambda _: None
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)

    def store(self, name: str, digest: str, content: bytes) -> None:
        """Keep a blob, or what was kept before it where the registry is that kind."""
        if self.manner.keeps_bad:
            content = self.kept.setdefault(digest, content)
        self.blobs[name, digest] = content


class Handler(BaseHTTPRequestHandler):
    """Speaks the distribution protocol for one `Contents`."""

    registry: ClassVar[Contents]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve a connection; clients that go away are no news."""
        try:
            super().handle()
        except (ConnectionError, OSError, ValueError):
            self.close_connection = True

    def do_any(self) -> None:
        """Answer one request, with its fault if it has one."""
        parts = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        known = self.headers.get("Authorization", "")
        request = Request(self.command, parts.path, parts.query, known, size)
        self.registry.requests.append(request)
        self.fault = self.registry.script(request) or Fault()
        if self.fault.stall:
            self.fault.stall.wait(30)
            self._drop()
            return
        if self.fault.cut_after >= 0 and size:
            self._keep_part(parts.path, self.rfile.read(min(size, self.fault.cut_after)))
            self._drop()
            return
        body = self.rfile.read(size)
        if self.fault.status:
            self._answer(self.fault.status, dict(self.fault.headers))
        elif not self.registry.manner.allowed(known):
            self._answer(401, {"WWW-Authenticate": self.registry.manner.challenge})
        elif self.registry.manner.largest_body and size > self.registry.manner.largest_body:
            self._answer(413)
        else:
            self._routed(parts.path, parse_qs(parts.query), body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_any

    def _routed(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        for pattern, work in (
            (_UPLOAD, self._upload),
            (_BLOB, self._blob),
            (_MANIFEST, self._manifest),
            (_REFERRERS, self._referrers),
            (_TAGS, self._tags),
        ):
            match = pattern.fullmatch(path)
            if match:
                work([*match.groups()], query, body)
                return
        self._answer(200 if path == "/v2/" else 404)

    def _blob(self, words: list[str], _: dict[str, list[str]], __: bytes) -> None:
        name, digest = words
        if self.command == "DELETE":
            self._answer(202 if self.registry.blobs.pop((name, digest), None) is not None else 404)
            return
        content = self.registry.blobs.get((name, digest))
        if content is None:
            self._answer(404)
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted or not self.registry.manner.ranges:
            self._answer(200, {"Docker-Content-Digest": digest}, content)
            return
        first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
        header = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        self._answer(206, header, content[first : last + 1])

    def _upload(self, words: list[str], query: dict[str, list[str]], body: bytes) -> None:
        name, session = words
        if not session:
            self._begin(name, query)
        elif session not in self.registry.uploads:
            self._answer(404)
        elif self.command == "DELETE":
            if self.registry.manner.cancels:
                del self.registry.uploads[session]
            self._answer(204 if self.registry.manner.cancels else 405)
        elif self.command == "PUT":
            self._finish(name, session, query["digest"][0], body)
        else:
            kept = self.registry.uploads[session]
            kept += body
            status = self.registry.manner.chunk_status if self.command == "PATCH" else 204
            place = {"Location": f"/v2/{name}/blobs/uploads/{session}"}
            self._answer(status, {**place, "Range": f"0-{max(0, len(kept) - 1)}"})

    def _begin(self, name: str, query: dict[str, list[str]]) -> None:
        mount, origin = query.get("mount", [""])[0], query.get("from", [""])[0]
        content = self.registry.blobs.get((origin, mount))
        if content is not None and self.registry.manner.mounts:
            self.registry.blobs[name, mount] = content
            self._answer(201, {"Location": f"/v2/{name}/blobs/{mount}"})
            return
        session = secrets.token_hex(8)
        self.registry.uploads[session] = bytearray()
        self._answer(202, {"Location": f"/v2/{name}/blobs/uploads/{session}"})

    def _finish(self, name: str, session: str, digest: str, body: bytes) -> None:
        content = bytes(self.registry.uploads.pop(session)) + body
        if digest_of(content, digest) != digest:
            self._answer(400)
            return
        self.registry.store(name, digest, content)
        self._answer(201, {"Location": f"/v2/{name}/blobs/{digest}"})

    def _manifest(self, words: list[str], _: dict[str, list[str]], body: bytes) -> None:
        name, wanted = words
        if self.command == "PUT":
            self._store_manifest(name, wanted, body)
            return
        if self.command == "DELETE":
            self._answer(202 if self.registry.manifests.pop((name, wanted), None) else 404)
            return
        found = self.registry.manifests.get((name, wanted))
        if found is None:
            self._answer(404)
            return
        headers = {"Content-Type": found[0]}
        if self.registry.manner.digest_header:
            headers["Docker-Content-Digest"] = digest_of(found[1])
        self._answer(200, headers, found[1])

    def _store_manifest(self, name: str, wanted: str, body: bytes) -> None:
        manifest = parse_manifest(body, "test")
        missing = [b for b in manifest.blobs if (name, b.digest) not in self.registry.blobs]
        missing += [c for c in manifest.children if (name, c.digest) not in self.registry.manifests]
        if missing and not wanted.startswith("sha256-"):
            self._answer(400)
            return
        kept = (self.headers.get("Content-Type", ""), body)
        self.registry.manifests[name, wanted] = self.registry.manifests[name, manifest.digest] = (
            kept
        )
        headers = {"Docker-Content-Digest": manifest.digest}
        if manifest.subject and self.registry.manner.referrers:
            headers["OCI-Subject"] = manifest.subject.digest
        self._answer(201, headers)

    def _referrers(self, words: list[str], _: dict[str, list[str]], __: bytes) -> None:
        name, digest = words
        if not self.registry.manner.referrers:
            self._answer(404)
            return
        found = {}
        for (repository, _wanted), (_kind, body) in list(self.registry.manifests.items()):
            manifest = parse_manifest(body, "test")
            if repository == name and manifest.subject and manifest.subject.digest == digest:
                found[manifest.digest] = manifest.descriptor
        self._answer(200, {"Content-Type": OCI_INDEX}, index_body(tuple(found.values())))

    def _tags(self, words: list[str], query: dict[str, list[str]], __: bytes) -> None:
        name = words[0]
        tags = sorted(t for n, t in self.registry.manifests if n == name and ":" not in t)
        last, headers = query.get("last", [""])[0], {}
        tags = [t for t in tags if t > last]
        page = self.registry.manner.page
        if page and len(tags) > page:
            tags = tags[:page]
            headers["Link"] = f'</v2/{name}/tags/list?last={tags[-1]}>; rel="next"'
        self._answer(200, headers, json.dumps({"name": name, "tags": tags}).encode())

    def _answer(
        self, status: int, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> None:
        if self.fault.flip >= 0 and body:
            at = self.fault.flip % len(body)
            body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if 0 <= self.fault.cut_after < len(body):
            self.wfile.write(body[: self.fault.cut_after])
            self._drop()
            return
        self.wfile.write(body)

    def _keep_part(self, path: str, part: bytes) -> None:
        """A registry that is cut off keeps what it got, as most do."""
        match = _UPLOAD.fullmatch(path)
        if match and match[2] in self.registry.uploads:
            self.registry.uploads[match[2]] += part

    def _drop(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
