"""Whatever goes wrong and however often it is run again: source and target end up equal."""

from __future__ import annotations

import random
import tempfile
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.oci.setting import client_to, copied, holds, pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, MemoryRegistry, Request
from changeover.sources.oci.sample import Sample

layers = st.lists(st.integers(0, 6), min_size=0, max_size=5)
wanted_images = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["1", "2"])),
    st.lists(layers, min_size=1, max_size=3),
    min_size=1,
    max_size=5,
)
"""Repository and tag, and the layers of each platform's image."""


def built(platforms: list[list[int]]) -> Sample:
    """Make an image, or an index where there are several."""
    images = [sample.image([content(seed) for seed in seeds]) for seeds in platforms]
    if len(images) == 1:
        return images[0]
    return sample.index({f"linux/a{n}": image for n, image in enumerate(images)})


def content(seed: int) -> bytes:
    """Shared layers, zero bytes long and longer than a buffer."""
    return (
        b"" if seed == 0 else sample.layer(seed, (0, 10, 3000, 70_000, 300_000, 5, 262_144)[seed])
    )


def chaos(seed: int, share: float, most: int) -> object:
    """Misbehave at random, `most` times at the utmost."""
    dice = random.Random(seed)  # noqa: S311 - chosen faults, guards nothing
    lock, left = threading.Lock(), [most]

    def script(_: Request) -> Fault | None:
        with lock:
            if left[0] == 0 or dice.random() > share:
                return None
            left[0] -= 1
            at = dice.randrange(1, 300_000)
            return dice.choice(
                [Fault(cut_after=at), Fault(status=503), Fault(status=429), Fault(flip=at)]
            )

    return script


@settings(max_examples=25, deadline=None)
@given(wanted_images, st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
def test_source_and_target_are_equal_after_any_faults_and_reruns(
    names: dict[tuple[str, str], list[list[int]]],
    seed: int,
    ranges: bool,
    mounts: bool,
    digests: bool,
) -> None:
    wanted = {name: built(platforms) for name, platforms in names.items()}
    with (
        MemoryRegistry() as source,
        MemoryRegistry() as target,
        tempfile.TemporaryDirectory() as folder,
    ):
        for (name, tag), thing in wanted.items():
            pushed(source, name, tag, thing)
        source.manner.ranges, source.manner.digest_header = ranges, digests
        target.manner.mounts = mounts
        source.script = chaos(seed, 0.2, 40)  # type: ignore[assignment]  # a script
        target.script = chaos(seed + 1, 0.2, 40)  # type: ignore[assignment]  # a script

        to, uploads = f"docker://{target.host}/m/", Path(folder)
        sources = [f"{source.host}/{n}:{t}" for n, t in wanted]
        for _ in range(60):
            with client_to(source.host, target.host, uploads=uploads) as client:
                if not copied(client, sources, to).failed:
                    break
        source.script = target.script = lambda _: None
        with client_to(source.host, target.host, uploads=uploads) as client:
            copied(client, sources, to)

        assert all(holds(target, f"m/{n}", t, thing) for (n, t), thing in wanted.items())
        assert target.uploads == {}
