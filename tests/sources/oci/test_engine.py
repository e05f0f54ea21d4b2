"""A real Docker engine that is given images."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.oci.command import data, error, images
from tests.sources.oci.setting import pushed
from tests.sources.oci.test_layout import docker_save

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry

pytestmark = pytest.mark.docker


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, check=True, text=True)
    return done.stdout


def layer_tar(content: bytes) -> bytes:
    """A layer an engine can unpack."""
    import io  # noqa: PLC0415
    import tarfile  # noqa: PLC0415

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def tag() -> Iterator[str]:
    name = f"changeover-test/app:{secrets.token_hex(4)}"
    yield name
    subprocess.run(["docker", "rmi", "-f", name], capture_output=True, check=False)


def test_an_image_is_loaded_and_its_id_checked(source: MemoryRegistry, tag: str) -> None:
    amd, arm = (
        sample.image([layer_tar(b"amd"), layer_tar(b"two")]),
        sample.image([layer_tar(b"arm")]),
    )
    pushed(source, "app", "1", sample.index({"linux/amd64": amd, "linux/arm64": arm}))
    words = ["load", f"{source.host}/app:1", "--tag", tag, "--plain-http", source.host]

    first = data(images, *words, "--platform", "linux/amd64")["images"][0]
    again = data(images, *words, "--platform", "linux/amd64")["images"][0]

    assert first["status"] == "loaded"
    assert first["id"] in (amd.manifest.blobs[0].digest, amd.digest)
    assert again["status"] == "unchanged"
    assert json.loads(docker("image", "inspect", tag))[0]["RepoTags"] == [tag]


def test_what_docker_saved_is_loaded_again(
    source: MemoryRegistry, tag: str, tmp_path: Path
) -> None:
    thing = docker_save(tmp_path / "in.tar", [layer_tar(b"x")], tag)
    place = f"docker-archive:{tmp_path / 'in.tar'}"
    loaded = data(images, "load", place)["images"][0]
    docker("save", "-o", str(tmp_path / "out.tar"), tag)

    plain = ["--plain-http", source.host]
    saved = f"docker-archive:{tmp_path / 'out.tar'}"
    data(images, "copy", saved, f"docker://{source.host}/back:1", *plain)

    assert loaded["tag"] == tag
    assert thing.manifest.blobs[0].digest in {d for _, d in source.blobs}


def test_an_engine_that_is_not_there_is_named() -> None:
    said = error(images, "load", "a.example/x:1", "--engine", "no-such-engine")

    assert "no-such-engine: not installed" in said
