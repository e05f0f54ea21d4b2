"""What is wrong with an endpoint is what its answer says, never an accident of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.engine.prober import Prober, unanswered
from changeover.model import events as ev
from changeover.model.instance import Endpoint

WRONG = (
    Endpoint("trust", "https://127.0.0.1:1/", ca="missing.pem"),
    Endpoint("port", "http://127.0.0.1:99999/"),
    Endpoint("name", "http://" + "a" * 70 + ".example/"),
)


@pytest.mark.parametrize("endpoint", WRONG, ids=lambda e: e.name)
def test_an_endpoint_that_cannot_be_asked_is_down(endpoint: Endpoint, tmp_path: Path) -> None:
    told: list[ev.Event] = []

    with Prober((endpoint,), tmp_path, told.append):
        reason = unanswered(endpoint, tmp_path)

    assert reason
    assert isinstance(told[-1], ev.Watched)
    assert told[-1].failed == told[-1].requests
