"""Paths and sizes of a release made to do harm: refused, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.oci.setting import client_to, quick

from changeover.errors import InvalidRelease
from changeover.sources.hub import find, parse_hub
from changeover.sources.oci import sample
from changeover.sources.oci.layout_target import LayoutFolder
from changeover.sources.oci.media import (
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    canonical,
    digest_of,
    index_body,
    parse_manifest,
)
from changeover.sources.oci.sample import Sample
from changeover.sources.shipped import ARTIFACT, FILE, PRODUCT, TITLE, VERSION
from changeover.sources.unpack import unpack

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def hostile(folder: Path, paths: list[str], sizes: int = 0) -> None:
    """Write a layout whose release has these paths."""
    layout = LayoutFolder(folder)
    layout.prepare()
    content = b"x"
    thing = Sample(
        parse_manifest(index_body(()), "t"), {digest_of(content): content, digest_of(b"{}"): b"{}"}
    )
    sample.push(layout, "", "throwaway", thing)
    layers = [
        Descriptor(FILE, digest_of(content), sizes or 1, annotations={TITLE: p}) for p in paths
    ]
    tree = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT,
        "config": Descriptor(OCI_EMPTY, digest_of(b"{}"), 2).document(),
        "layers": [x.document() for x in layers],
    }
    files = parse_manifest(canonical(tree), "t")
    layout.put_manifest("", files.digest, files)
    child = Descriptor(OCI_MANIFEST, files.digest, len(files.body), artifact_type=ARTIFACT)
    notes = {PRODUCT: "shop", VERSION: "1.0"}
    layout.put_manifest("shop", "1.0", parse_manifest(index_body((child,), notes), "t", OCI_INDEX))


@pytest.mark.parametrize(
    "paths",
    [
        ["../out"],
        ["/abs"],
        ["a/../../out"],
        ["a//b"],
        [""],
        ["."],
        ["a\x00b"],
        ["a\nb"],
        ["back\\slash"],
        ["c:drive"],
        ["same", "same"],
        ["Same", "same"],
        ["dir/x", "DIR/y"],
        ["file", "file/below"],
        ["file/below", "file"],
        ["caf\u00e9", "cafe\u0301"],
        ["x" * 300],
        ["a/" * 600 + "b"],
        [" lead"],
        ["a\u202eb"],
    ],
)
def test_hostile_paths_write_nothing(tmp_path: Path, paths: list[str]) -> None:
    hostile(tmp_path / "layout", paths)
    out = tmp_path / "in" / "shop"

    with client_to() as client:
        found = find(parse_hub(f"oci:{tmp_path / 'layout'}"), client, "shop", "1.0", None)
        with pytest.raises(InvalidRelease):
            unpack(found.source, found.name, found.shipment, out, quick())

    assert not (tmp_path / "in").exists()


def test_bombs_and_swarms_of_files_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    cases = {"swarm": ([f"f{n}" for n in range(10_001)], 0), "bomb": (["big"], 1 << 40)}
    for name, (paths, sizes) in cases.items():
        hostile(tmp_path / name, paths, sizes)
        with client_to() as client:
            found = find(parse_hub(f"oci:{tmp_path / name}"), client, "shop", "1.0", None)
            with pytest.raises(InvalidRelease, match=r"more than 10000|more bytes"):
                unpack(found.source, found.name, found.shipment, tmp_path / "out", quick())
