"""pytest fixtures around the labs: the catalogue platform, running, at its first release."""

import os
from collections.abc import Iterator

import pytest
from labs.catalogage.host import HostLab
from labs.catalogage.local import LocalLab

FEW = 2_000
"""Rows enough for every migration to have work, few enough to be quick."""


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLab]:
    """The platform on this machine, for the session, in whatever state the last test left it."""
    lab = LocalLab(tmp_path_factory.mktemp("lab") / "catalogage", rows=FEW, tied=True)
    lab.start()
    yield lab
    lab.remove()


@pytest.fixture
def lab(shared_lab: LocalLab) -> LocalLab:
    """The platform at its first release, for tests that leave it there, running."""
    if not shared_lab.untouched:
        shared_lab.reset()
    return shared_lab


@pytest.fixture
def fresh_lab(lab: LocalLab) -> LocalLab:
    """The platform at its first release, for tests that change it: the next one gets it anew."""
    lab.touch()
    return lab


@pytest.fixture(scope="session")
def host_lab(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostLab]:
    """The platform on a container host, for the session (marker `docker`)."""
    folder = tmp_path_factory.mktemp("host-lab") / "catalogage"
    lab = HostLab(folder, f"changeover-catalogage-{os.getpid()}", rows=FEW)
    lab.start()
    yield lab
    lab.remove()
