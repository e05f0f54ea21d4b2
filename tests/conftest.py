"""Fixtures every test may ask for."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "tests", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

pytest_plugins = ["tests.servers.fixtures", "tests.lab.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no test that is marked `docker` forget to ask for the engine."""
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("docker"):
            item.fixturenames.insert(0, "docker_engine")
