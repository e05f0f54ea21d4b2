"""Registries for the tests of images."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.sources.oci.servers import Server, docker_registry

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
