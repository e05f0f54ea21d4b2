"""`images list` of layouts and archives: what they hold, with digests and platforms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.sources.oci.command import call, called, data, error, images
from tests.sources.oci.setting import client_to, copied, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.sample import Sample

APP, WEB = "team/app:1", "web:2"


@pytest.fixture
def stocked(source: MemoryRegistry) -> dict[str, Sample]:
    """A registry with an index and an image that has a signature."""
    platforms = {"linux/amd64": sample.image([b"x"]), "linux/arm64": sample.image([b"a"])}
    things = {APP: sample.index(platforms), WEB: sample.image([b"web"])}
    for name, thing in things.items():
        repository, _, tag = name.partition(":")
        pushed(source, repository, tag, thing)
    signature = sample.image([b"sig"], subject=things[WEB].manifest)
    pushed(source, "web", signature.digest, signature)
    return things


def layout(folder: Path, thing: Sample, names: list[str]) -> str:
    """Write a layout as other tools do, with one entry for each name; "" is none."""
    (folder / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    for digest, content in {**thing.blobs, thing.digest: thing.manifest.body}.items():
        (folder / "blobs" / digest.replace(":", "/")).write_bytes(content)
    entry = thing.manifest.descriptor.document()
    entry.pop("artifactType")
    called = [{"annotations": {"org.opencontainers.image.ref.name": n}} if n else {} for n in names]
    index = {"schemaVersion": 2, "manifests": [{**entry, **name} for name in called]}
    (folder / "index.json").write_text(json.dumps(index))
    return f"oci:{folder}"


@pytest.mark.parametrize("kind", ["oci", "oci-archive"])
def test_a_layout_is_listed_with_digests_and_platforms(
    source: MemoryRegistry, stocked: dict[str, Sample], tmp_path: Path, kind: str
) -> None:
    place = f"{kind}:{tmp_path / 'x'}"
    with client_to(source.host) as client:
        copied(client, [f"{source.host}/{n}" for n in stocked], place)

    rows = {row["image"]: row for row in data(images, "list", place)["images"]}

    app, web = (f"{place}:{source.host}/{name}" for name in stocked)
    assert list(rows) == [app, web]
    assert rows[app]["digest"] == stocked[APP].digest
    assert rows[app]["platforms"] == ["linux/amd64", "linux/arm64"]
    assert rows[web]["digest"] == stocked[WEB].digest
    assert rows[web]["platforms"] == ["linux/amd64"]
    assert called(images, "list", app) == (
        f"{app}  {stocked[APP].digest}  linux/amd64, linux/arm64\n"
    )


def test_an_image_without_a_name_is_listed_by_its_digest_and_can_be_asked_for_so(
    tmp_path: Path,
) -> None:
    thing, other = sample.image([b"alone"]), sample.image([b"other"])
    place = layout(tmp_path / "x", thing, [""])
    layout(tmp_path / "y", thing, ["", "web:1"])
    layout(tmp_path / "both", other, [])
    nameless = f"{place}:@{thing.digest}"

    (bare,) = data(images, "list", place)["images"]
    (named,) = data(images, "list", f"oci:{tmp_path / 'y'}")["images"]

    assert (bare["image"], bare["digest"]) == (nameless, thing.digest)
    assert named["image"] == f"oci:{tmp_path / 'y'}:web:1"
    assert called(images, "verify", nameless, "--deep").startswith("sound")
    assert called(images, "list", f"oci:{tmp_path / 'both'}") == "no image is there\n"


def test_a_damaged_configuration_is_said_and_a_folder_that_is_no_layout_refused(
    tmp_path: Path,
) -> None:
    thing = sample.image([b"web"])
    place = layout(tmp_path / "x", thing, ["web:1"])
    config = thing.manifest.blobs[0]
    file = tmp_path / "x/blobs" / config.digest.replace(":", "/")
    file.write_bytes(b"x" * config.size)

    said = call(images, "list", place)

    assert said.exit_code == 1
    assert "the source's bytes are" in said.output
    assert "oci-layout: not there" in error(images, "list", f"oci:{tmp_path}")


def test_an_image_of_a_registry_is_listed_by_its_name() -> None:
    with MemoryRegistry() as registry:
        thing = pushed(registry, "app", "1", sample.index({"linux/amd64": sample.image([b"x"])}))
        words = ("list", f"docker://{registry.host}/app:1", "--plain-http", registry.host)
        (row,) = data(images, *words)["images"]

    assert row["digest"] == thing.digest
    assert row["platforms"] == ["linux/amd64"]
