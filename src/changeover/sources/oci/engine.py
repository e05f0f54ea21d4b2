"""Brings images to an engine without a registry: by `docker load`, checked by image id."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO

from changeover.sources.oci.closure import Closure
from changeover.sources.oci.fault import Corrupt, ImageFault, Missing, Unsupported
from changeover.sources.oci.media import Descriptor, canonical
from changeover.sources.oci.medium import Source
from changeover.sources.oci.passage import Passage
from changeover.sources.oci.patience import Budget

_BLOCK = 512
SECONDS = 3600


@dataclass(frozen=True)
class Load:
    """An image for an engine: one platform's manifest, and the tag it shall have."""

    source: Source
    name: str
    closure: Closure
    tag: str


class Engine:
    """A Docker engine or Podman, reached by its own command line: contexts and SSH included."""

    def __init__(self, program: str = "docker") -> None:
        self._program = program

    def image_id(self, tag: str) -> str:
        """Return the id an engine has for a tag; empty where it has none."""
        done = self._run("image", "inspect", "--format", "{{.Id}}", tag)
        found = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode != 0:
            return ""
        return found if ":" in found or not found else f"sha256:{found}"

    def platform(self) -> str:
        """Return the platform of the engine such as `linux/amd64`; raises `ImageFault`."""
        done = self._run("version", "--format", "{{json .Server}}")
        try:
            server = json.loads(done.stdout)
            os_and_arch = server.get("Os"), server.get("Arch")
            return "/".join(n for n in os_and_arch if n)
        except (ValueError, AttributeError):
            said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise ImageFault(
                f"{self._program}: no engine answers: {said}",
                "start it, or set DOCKER_HOST or a context",
            ) from None

    def load(self, image: Load, budget: Budget, moved: Callable[[int], None]) -> str:
        """Stream an image into the engine and return its id there; raises `ImageFault`."""
        wanted = _ids(image)
        with self._loading() as program:
            said: list[bytes] = []
            reader = threading.Thread(target=lambda: said.append(_output(program)))
            reader.start()
            try:
                assert program.stdin is not None  # noqa: S101 - it was opened as a pipe
                write_archive(program.stdin, image, budget, moved)
                program.stdin.close()
            except BrokenPipeError:
                pass  # the engine says why on its own
            except BaseException:
                program.kill()
                raise
            finally:
                reader.join(SECONDS)
            code = program.wait()
        if code != 0:
            why = b"".join(said).decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise ImageFault(f"{image.tag}: the engine refused it: {why}", "see the engine's log")
        found = self.image_id(image.tag)
        if found not in wanted:
            raise Corrupt(
                f"{image.tag}: the engine has {found or 'nothing'} instead of {wanted[0]}",
                "load it again; if that does not help, see the engine's log",
            )
        return found

    def has(self, image: Load) -> bool:
        """Tell whether the engine has exactly this image under this tag."""
        return self.image_id(image.tag) in _ids(image)

    def _loading(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._program, "load", "--quiet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        if shutil.which(self._program) is None:
            raise Missing(f"{self._program}: not installed", "install it, or name it: --engine")
        try:
            return subprocess.run(
                [self._program, *words], capture_output=True, timeout=60, check=False
            )
        except subprocess.TimeoutExpired:
            raise ImageFault(f"{self._program}: no answer in 60 s", "is the engine well?") from None


def write_archive(
    out: IO[bytes], image: Load, budget: Budget, moved: Callable[[int], None]
) -> None:
    """Write what `docker load` reads: the layers as they are, each hashed on the way."""
    config, *layers = _parts(image)
    listing = [
        {
            "Config": _path(config, ".json"),
            "RepoTags": [image.tag],
            "Layers": [_path(layer, ".tar") for layer in layers],
        }
    ]
    body = canonical(listing)
    _header(out, "manifest.json", len(body))
    out.write(body + bytes(-len(body) % _BLOCK))
    written = set()
    for blob, ending in ((config, ".json"), *((layer, ".tar") for layer in layers)):
        if blob.digest in written:
            continue
        written.add(blob.digest)
        _header(out, _path(blob, ending), blob.size)
        opener = partial(image.source.open, image.name, blob)
        where = f"{image.source.place}/{image.name}@{blob.digest}"
        passage = Passage(blob, opener, budget, moved, where)
        try:
            passage.pour(lambda view: _write(out, view), blob.size)
        finally:
            passage.close()
        out.write(bytes(-blob.size % _BLOCK))
    out.write(bytes(2 * _BLOCK))
    out.flush()


def _parts(image: Load) -> tuple[Descriptor, ...]:
    manifest = image.closure.top
    if manifest.is_index:
        raise Unsupported(
            f"{image.tag}: several platforms: an engine takes one", "name it: --platform"
        )
    if not manifest.blobs:
        raise Unsupported(f"{image.tag}: no configuration: not an image", "check the reference")
    return manifest.blobs


def _ids(image: Load) -> tuple[str, ...]:
    """Return the ids an engine may give it: its configuration's, or with containerd its own."""
    return (_parts(image)[0].digest, image.closure.top.digest)


def _path(blob: Descriptor, ending: str) -> str:
    return blob.digest.partition(":")[2] + ending


def _header(out: IO[bytes], path: str, size: int) -> None:
    member = tarfile.TarInfo(path)
    member.size, member.mode = size, 0o644
    out.write(member.tobuf(tarfile.GNU_FORMAT))


def _output(program: subprocess.Popen[bytes]) -> bytes:
    return program.stdout.read(65536) if program.stdout else b""


def _write(out: IO[bytes], view: memoryview) -> None:
    out.write(view)
