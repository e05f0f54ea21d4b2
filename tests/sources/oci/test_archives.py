"""Archives in the shapes that Docker, Podman and others have written over the years."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.sources.oci.command import call, called, data, error, images
from tests.sources.oci.setting import client_to, copied, holds, one

from changeover.sources.oci import sample
from changeover.sources.oci.media import Descriptor, canonical, digest_of
from changeover.sources.oci.memory import MemoryRegistry
from changeover.sources.oci.sample import Sample

LAYER = sample.layer(1, 3000)
Member = bytes | tarfile.TarInfo


def archive(file: Path, members: Mapping[str, Member]) -> Path:
    with tarfile.open(file, "w") as out:
        for name, content in members.items():
            if isinstance(content, bytes):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))
            else:
                content.name = name
                out.addfile(content)
    return file


def link(kind: bytes, to: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    member.type, member.linkname = kind, to
    return member


def config(*layers: bytes, **more: Any) -> bytes:
    ids = [digest_of(layer) for layer in layers]
    return canonical({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ids}, **more})


def saved(config: bytes, tags: list[str] | None, layers: list[str] | None) -> bytes:
    return canonical([{"Config": "config.json", "RepoTags": tags, "Layers": layers}])


def layout(things: Mapping[str, Sample], annotations: list[dict[str, str]]) -> dict[str, Member]:
    blobs = {d: c for thing in things.values() for d, c in thing.all_blobs().items()}
    blobs |= {thing.digest: thing.manifest.body for thing in things.values()}
    entries = [
        {**thing.manifest.descriptor.document(), "annotations": said}
        for thing, said in zip(things.values(), annotations, strict=True)
    ]
    return {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": canonical({"schemaVersion": 2, "manifests": entries}),
        **{f"blobs/{d.replace(':', '/')}": content for d, content in blobs.items()},
    }


@pytest.mark.parametrize(
    ("kind", "to"),
    [
        (tarfile.SYMTYPE, "../one/layer.tar"),
        (tarfile.LNKTYPE, "one/layer.tar"),
        (tarfile.LNKTYPE, "./one/layer.tar"),
    ],
)
@pytest.mark.parametrize("begins", ["", "./"])
def test_layers_that_are_links_to_equal_ones_are_found(
    tmp_path: Path, kind: bytes, to: str, begins: str
) -> None:
    said = config(LAYER, LAYER)
    members: dict[str, Member] = {
        "one/layer.tar": LAYER,
        "two/layer.tar": link(kind, to),
        "config.json": said,
        "manifest.json": saved(said, ["app:1"], ["one/layer.tar", "two/layer.tar"]),
    }
    file = archive(tmp_path / "a.tar", {begins + name: member for name, member in members.items()})

    with MemoryRegistry() as target, client_to(target.host) as client:
        result = one(copied(client, [f"docker-archive:{file}"], f"docker://{target.host}/app:1"))

        found = json.loads(target.manifests["app", "1"][1])
        assert [layer["digest"] for layer in found["layers"]] == [digest_of(LAYER)] * 2
        assert result.sent == 2


@pytest.mark.parametrize("rootfs", [{}, {"diff_ids": None}, {"diff_ids": []}])
@pytest.mark.parametrize("layers", [None, []])
def test_an_image_of_settings_alone_is_copied(
    tmp_path: Path, rootfs: dict[str, Any], layers: list[str] | None
) -> None:
    said = config(rootfs=rootfs)
    members = {"config.json": said, "manifest.json": saved(said, ["app:1"], layers)}
    file = archive(tmp_path / "a.tar", members)

    with MemoryRegistry() as target, client_to(target.host) as client:
        one(copied(client, [f"docker-archive:{file}"], f"docker://{target.host}/app:1"))

        found = json.loads(target.manifests["app", "1"][1])
        assert found["config"]["digest"] == digest_of(said)
        assert found["layers"] == []


@pytest.mark.parametrize("tags", [None, [], ["<none>:<none>"]])
def test_an_image_without_a_tag_has_no_name(tmp_path: Path, tags: list[str] | None) -> None:
    said = config(LAYER)
    members = {"l.tar": LAYER, "config.json": said, "manifest.json": saved(said, tags, ["l.tar"])}
    file = archive(tmp_path / "a.tar", members)

    (row,) = data(images, "list", f"docker-archive:{file}")["images"]

    assert row["image"] == f"docker-archive:{file}:@{row['digest']}"


def test_an_archive_of_the_other_kind_is_refused_with_the_right_one(tmp_path: Path) -> None:
    thing = sample.image([LAYER])
    said = config(LAYER)
    oci = archive(tmp_path / "oci.tar", layout({"1": thing}, [{}]))
    members = {"l.tar": LAYER, "config.json": said, "manifest.json": saved(said, None, ["l.tar"])}
    docker = archive(tmp_path / "docker.tar", members)
    ancient = archive(tmp_path / "ancient.tar", {"repositories": b"{}", "x/layer.tar": LAYER})

    assert "an OCI layout" in error(images, "list", f"docker-archive:{oci}")
    assert "what docker save wrote" in error(images, "list", f"oci-archive:{docker}")
    assert "older than 1.10" in error(images, "list", f"docker-archive:{ancient}")


def test_images_that_share_a_bare_tag_keep_their_whole_names(tmp_path: Path) -> None:
    """Docker 25 and newer write the tag alone as the name, and the whole one beside it."""
    things = {"one": sample.image([LAYER]), "two": sample.image([gzip.compress(LAYER, mtime=0)])}
    names = [f"docker.io/team/{name}:latest" for name in things]
    annotations = [
        {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": "latest"}
        for name in names
    ]
    file = archive(tmp_path / "a.tar", layout(things, annotations))

    with MemoryRegistry() as target, client_to(target.host) as client:
        summary = copied(client, [f"oci-archive:{file}"], f"docker://{target.host}/all")

        assert not summary.failed
        assert all(holds(target, f"all/team/{n}", "latest", thing) for n, thing in things.items())


def test_a_bare_tag_that_is_one_images_alone_is_enough(tmp_path: Path) -> None:
    things = {"one": sample.image([LAYER]), "two": sample.image([b"other"])}
    annotations = [
        {"io.containerd.image.name": f"a.example/x:{n}", "org.opencontainers.image.ref.name": n}
        for n in things
    ]
    file = archive(tmp_path / "a.tar", layout(things, annotations))

    with MemoryRegistry() as target, client_to(target.host) as client:
        one(copied(client, [f"oci-archive:{file}:two"], f"docker://{target.host}/app:1"))

        assert holds(target, "app", "1", things["two"])


def test_a_name_two_images_have_is_refused_with_their_digests(tmp_path: Path) -> None:
    things = {"one": sample.image([LAYER]), "two": sample.image([b"other"])}
    file = archive(
        tmp_path / "a.tar", layout(things, [{"org.opencontainers.image.ref.name": "latest"}] * 2)
    )

    with MemoryRegistry() as target, client_to(target.host) as client:
        (failed,) = copied(client, [f"oci-archive:{file}"], f"docker://{target.host}/a:1").failed
        by_digest = f"oci-archive:{file}:@{things['two'].digest}"
        one(copied(client, [by_digest], f"docker://{target.host}/a:2"))

        assert "name of 2 images" in failed.error
        assert all(thing.digest in failed.remedy for thing in things.values())
        assert holds(target, "a", "2", things["two"])


def test_an_index_with_holes_names_the_platform_and_the_way_out(tmp_path: Path) -> None:
    whole = sample.image([LAYER])
    away = Descriptor(whole.manifest.media_type, "sha256:" + "1" * 64, 500, "linux/arm64")
    document = json.loads(sample.index({"linux/amd64": whole}).manifest.body)
    document["manifests"].append(away.document())
    body = canonical(document)
    members = layout({"1": whole}, [{"org.opencontainers.image.ref.name": "amd64"}])
    members["blobs/" + digest_of(body).replace(":", "/")] = body
    entry = Descriptor(document["mediaType"], digest_of(body), len(body)).document()
    members["index.json"] = canonical({"schemaVersion": 2, "manifests": [entry]})
    source = f"oci-archive:{archive(tmp_path / 'a.tar', members)}"

    with MemoryRegistry() as target, client_to(target.host) as client:
        (failed,) = copied(client, [source], f"docker://{target.host}/a:1").failed
        to = f"docker://{target.host}/a:1"
        one(copied(client, [source], to, platform="linux/amd64"))

        assert "linux/arm64" in failed.error
        assert "--platform" in failed.remedy
        assert holds(target, "a", "1", whole)


def test_an_image_of_sha512_digests_goes_into_layouts_and_archives(tmp_path: Path) -> None:
    layer, said = sample.layer(2, 500), config(sample.layer(2, 500))
    digests = {digest_of(c, "sha512:"): c for c in (layer, said)}
    parts = [Descriptor("x/y", d, len(c)).document() for d, c in digests.items()]
    manifest = canonical({"schemaVersion": 2, "config": parts[1], "layers": parts[:1]})
    digests[digest_of(manifest, "sha512:")] = manifest
    entry = Descriptor(
        "application/vnd.oci.image.manifest.v1+json",
        digest_of(manifest, "sha512:"),
        len(manifest),
        annotations={"org.opencontainers.image.ref.name": "a.example/x:1"},
    )
    members: dict[str, Member] = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": canonical({"schemaVersion": 2, "manifests": [entry.document()]}),
        **{"blobs/" + d.replace(":", "/"): content for d, content in digests.items()},
    }
    source = f"oci-archive:{archive(tmp_path / 'a.tar', members)}"

    called(images, "copy", source, f"oci:{tmp_path}/folder")
    called(images, "copy", f"oci:{tmp_path}/folder", f"oci-archive:{tmp_path}/b.tar")

    again = f"oci-archive:{tmp_path}/b.tar"
    assert data(images, "list", again)["images"][0]["digest"] == entry.digest
    called(images, "verify", again, "--deep")


@pytest.mark.parametrize("text", ["\x1b[2J", "\ud800", "a\nb"])
def test_nothing_an_archive_says_of_itself_is_written_to_a_terminal_as_it_is(
    tmp_path: Path, text: str
) -> None:
    escaped = json.dumps(text).encode()
    said = b'{"os":%s,"architecture":"amd64","rootfs":{}}' % escaped
    tags = b'[{"Config":"config.json","RepoTags":[%s],"Layers":[]}]' % escaped
    docker = archive(tmp_path / "d.tar", {"config.json": said, "manifest.json": tags})
    members = layout({"1": sample.image([LAYER])}, [{"org.opencontainers.image.ref.name": "1"}])
    version = b'{"imageLayoutVersion":%s}' % escaped
    broken = archive(tmp_path / "v.tar", {**members, "oci-layout": version})
    (wrong,) = (d for d, c in members.items() if c == sample.image([LAYER]).manifest.body)
    kind = b'{"mediaType":%s}' % escaped
    digest = digest_of(kind)
    index = b'{"schemaVersion":2,"manifests":[{"digest":"%s","size":%d}]}'
    members |= {"index.json": index % (digest.encode(), len(kind)), wrong: b""}
    odd = archive(tmp_path / "k.tar", {**members, "blobs/" + digest.replace(":", "/"): kind})

    shown = [
        call(images, "list", f"docker-archive:{docker}").output,
        error(images, "list", f"oci-archive:{broken}"),
        call(images, "list", f"oci-archive:{odd}").output,
    ]

    assert all(line.isprintable() for block in shown for line in block.splitlines())
    assert "not an image" in shown[2] or "characters that are none" in shown[2]
