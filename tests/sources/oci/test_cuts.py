"""A network that is cut at any byte: what was begun is completed, and nothing is left open."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.sources.oci.cutting import Relay
from tests.sources.oci.servers import Server
from tests.sources.oci.setting import client_to, copied, holds, one, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.sample import Sample

LAYER = 300_000
WHOLE = 2 * LAYER + 6_000
"""About the bytes that cross the wire in one copy, headers included."""
DICE = random.Random(4)  # noqa: S311 - chosen offsets
OFFSETS = sorted(DICE.randrange(WHOLE) for _ in range(100))


@pytest.fixture
def stocked(source: MemoryRegistry) -> tuple[MemoryRegistry, Sample]:
    layers = [sample.layer(1, LAYER), sample.layer(2, LAYER)]
    return source, pushed(source, "app", "1", sample.image(layers))


def copy_over(source: str, target: str, folder: Path) -> None:
    with client_to(source, target, uploads=folder) as client:
        one(copied(client, [f"{source}/app:1"], f"docker://{target}/app:1"))


def cut_everywhere(
    stocked: tuple[MemoryRegistry, Sample], offsets: list[int], folder: Path
) -> None:
    source, thing = stocked
    for at in offsets:
        for way in ("up", "down"):
            with MemoryRegistry() as target:
                ends = {"up": target, "down": source}
                with Relay(ends[way].host, **{way: at}) as relay:
                    hosts = {"up": (source.host, relay.host), "down": (relay.host, target.host)}
                    copy_over(*hosts[way], folder)
                assert holds(target, "app", "1", thing), (way, at)
                # Of one whose address was cut off on its way, nobody knows: it is empty.
                assert all(kept == b"" for kept in target.uploads.values()), (way, at)
    assert list(folder.iterdir()) == []


def test_a_cut_in_either_direction_is_survived(
    stocked: tuple[MemoryRegistry, Sample], tmp_path: Path
) -> None:
    cut_everywhere(stocked, OFFSETS[::12], tmp_path)


@pytest.mark.fuzz
def test_a_cut_at_a_hundred_offsets_is_survived(
    stocked: tuple[MemoryRegistry, Sample], tmp_path: Path
) -> None:
    cut_everywhere(stocked, OFFSETS, tmp_path)


@pytest.mark.live
def test_debians_registry_keeps_what_was_cut_and_that_is_said(
    stocked: tuple[MemoryRegistry, Sample], debian: Server
) -> None:
    source, thing = stocked
    with (
        Relay(debian.host, up=LAYER) as relay,
        client_to(source.host, relay.host, debian.host) as client,
    ):
        one(copied(client, [f"{source.host}/app:1"], f"docker://{relay.host}/cut:1"))

        assert relay.cuts == 1
        assert client.registry(debian.host).resolve("cut", "1") == thing.digest
        (note,) = client.notes()
    assert "cut: 1 upload that broke off" in note
    assert "its own purge removes" in note
