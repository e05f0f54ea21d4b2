"""Fixtures every test may ask for."""

import pytest

pytest_plugins = ["tests.servers.fixtures", "tests.lab.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no test that is marked `docker` forget to ask for the engine."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("docker"):
            item.fixturenames.insert(0, "docker_engine")
