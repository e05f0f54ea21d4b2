"""Registries, releases and keys for the tests of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.oci.bundled import written
from tests.sources.oci.command import called, release
from tests.sources.oci.servers import Server, docker_registry
from tests.sources.oci.setting import pushed

from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry


@pytest.fixture
def source() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        yield registry


@pytest.fixture
def target() -> Iterator[MemoryRegistry]:
    with MemoryRegistry() as registry:
        yield registry


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's registry, open to everybody."""
    with docker_registry(tmp_path_factory.mktemp("debian")) as server:
        yield server


@pytest.fixture(scope="session")
def debian_other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second one."""
    with docker_registry(tmp_path_factory.mktemp("debian-other")) as server:
        yield server


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the vendor's keys, and another one nobody trusts."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("vendor", "next", "stranger"):
        called(release, "keygen", str(folder / name))
    return folder


@pytest.fixture
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hubs are folders beside where one stands, unless a command says otherwise."""
    (tmp_path / "standing").mkdir()
    monkeypatch.chdir(tmp_path / "standing")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return written(tmp_path / "shop", "2.0.0", conf="a = 1\n", script="#!/bin/sh\n", empty="")


@pytest.fixture
def pictured(source: MemoryRegistry, tmp_path: Path) -> dict[str, Path]:
    """Two releases with images in a registry: a shared layer, and one that changes."""
    shared = sample.layer(1, 200_000)
    for tag in ("1", "2"):
        pushed(source, "app", tag, sample.image([shared, f"app {tag}".encode()]))
    pushed(source, "db", "1", sample.image([sample.layer(3, 100_000)]))
    folders = {}
    for version, tag in (("1.0.0", "1"), ("2.0.0", "2")):
        folder = written(tmp_path / version, version, conf="same\n", notes=f"notes of {version}\n")
        named = f"images:\n  app: {source.host}/app:{tag}\n  db: {source.host}/db:1\n"
        (folder / "images.yaml").write_text(named)
        folders[version] = folder
    return folders
