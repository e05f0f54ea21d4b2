"""Releases and files with names made to do harm: refused, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.sources.oci.setting import client_to, quick

from changeover.errors import ChangeoverError
from changeover.sources.hub import bring_in, find, parse_hub
from changeover.sources.oci.copier import Options
from changeover.sources.oci.media import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    REF_NAME,
    Descriptor,
    digest_of,
)
from changeover.sources.shipped import ARTIFACT, FILE, PRODUCT, TITLE, VERSION

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def made_up(layout: Path, product: str, version: str, path: str = "release.yaml") -> None:
    """Write a layout with a whole but unsigned release that is called so."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes) -> str:
        digest = digest_of(content)
        (blobs / digest.partition(":")[2]).write_bytes(content)
        return digest

    text = b"format: 1\nproduct: shop\nversion: 2.0.0\nsteps: []\n"
    file = {"mediaType": FILE, "digest": put(text), "size": len(text)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": ARTIFACT,
            "config": Descriptor(OCI_EMPTY, put(b"{}"), 2).document(),
            "layers": [{**file, "annotations": {TITLE: path}}],
        }
    ).encode()
    child = Descriptor(OCI_MANIFEST, put(manifest), len(manifest), artifact_type=ARTIFACT)
    notes = {PRODUCT: product, VERSION: version}
    document = {"schemaVersion": 2, "manifests": [child.document()], "annotations": notes}
    root = json.dumps(document).encode()
    entry = Descriptor(OCI_INDEX, put(root), len(root), annotations={REF_NAME: "shop:2.0.0"})
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [entry.document()]}
    (layout / "index.json").write_text(json.dumps(index))


def brought(layout: Path, hub: Path, product: str = "") -> None:
    """Bring a release in although nobody signed it."""
    with client_to() as client:
        found = find(parse_hub(f"oci:{layout}"), client, product, "", None)
        bring_in(found, parse_hub(str(hub)), client, Options(jobs=1, budget=quick()))


@pytest.mark.parametrize(
    ("product", "version"),
    [
        ("../../outside", "2.0.0"),
        ("shop", "../../outside"),
        ("shop", ".."),
        ("/outside", "2.0.0"),
        ("shop/x", "2.0.0"),
        ("shop\x00", "2.0.0"),
        (".bundles", "2.0.0"),
        ("shop", "2.0.0\n"),
        ("shop", "\ud800"),
    ],
)
def test_no_release_is_called_like_a_path(tmp_path: Path, product: str, version: str) -> None:
    hub = tmp_path / "a" / "b" / "hub"
    hub.mkdir(parents=True)
    made_up(tmp_path / "x", product, version)

    for called_as in ("", product):
        with pytest.raises(ChangeoverError):
            brought(tmp_path / "x", hub, called_as)

    assert list(tmp_path.rglob("release.yaml")) == []


@pytest.mark.parametrize("path", ["\ud800", "a/\udfff/b", "x" * 300, "\U0001f600" * 300, "a\x00b"])
def test_no_file_of_a_release_has_a_name_disks_cannot_have(tmp_path: Path, path: str) -> None:
    (tmp_path / "hub").mkdir()
    made_up(tmp_path / "x", "shop", "2.0.0", path)

    with pytest.raises(ChangeoverError):
        brought(tmp_path / "x", tmp_path / "hub")

    assert not (tmp_path / "hub" / "shop").exists()


def test_a_made_up_release_is_whole_but_for_its_signature(tmp_path: Path) -> None:
    """What the tests above change is all that is wrong there."""
    (tmp_path / "hub").mkdir()
    made_up(tmp_path / "x", "shop", "2.0.0")

    brought(tmp_path / "x", tmp_path / "hub")

    assert (tmp_path / "hub" / "shop" / "2.0.0" / "release.yaml").is_file()
