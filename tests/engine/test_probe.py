"""What a probe makes of what a host says."""

from __future__ import annotations

from typing import Any

import pytest

from changeover.engine.probe import read_version
from changeover.hosts.command import Completed
from changeover.hosts.fake import FakeTransport
from changeover.hosts.host import Host


@pytest.mark.parametrize(
    ("pattern", "version"),
    [("v([0-9.]+)", "1.2"), ("[0-9.]+", "1.2"), ("v(x)?", ""), ("none", ""), ("", "v1.2")],
)
def test_a_version_is_what_the_pattern_finds(pattern: str, version: str) -> None:
    host = Host("web", FakeTransport({"shop --version": Completed(0, "v1.2\n")}))
    asked: dict[str, Any] = {
        "use": "command",
        "with": {"words": ["shop", "--version"], "pattern": pattern},
    }

    assert read_version(host, asked) == version
