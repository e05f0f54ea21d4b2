"""Following links on a host."""

from __future__ import annotations

import pytest

from changeover.actions.links import real_path
from changeover.errors import ActionFailed
from changeover.hosts.fake import FakeTransport
from changeover.hosts.host import FileState, Host


def host(**links: str) -> Host:
    files = {f"/srv/{name}": FileState("link", target=target) for name, target in links.items()}
    return Host("here", FakeTransport(files=files))


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/srv/next/venv", "/srv/r1/venv"),
        ("/srv/near/venv", "/srv/r1/venv"),
        ("/srv/up/x", "/opt/r2/x"),
        ("/srv/twice", "/srv/r1"),
        ("/srv/plain/x", "/srv/plain/x"),
    ],
)
def test_links_on_the_way_are_followed(path: str, real: str) -> None:
    here = host(next="/srv/r1", near="r1", up="../opt/r2", twice="next")

    assert real_path(here, path) == real


def test_a_circle_of_links_is_told() -> None:
    with pytest.raises(ActionFailed, match="too many links"):
        real_path(host(a="b", b="a"), "/srv/a/x")
