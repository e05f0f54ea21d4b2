"""What registries in memory are told to do wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable

from changeover.sources.oci import sample
from changeover.sources.oci.memory import Fault, Request

Script = Callable[[Request], Fault | None]


def first(count: int, method: str, part: str, fault: Fault) -> Script:
    """Misbehave at the first requests of a kind."""
    left = [count]
    lock = threading.Lock()

    def script(request: Request) -> Fault | None:
        with lock:
            if request.method == method and part in request.path and left[0] > 0:
                left[0] -= 1
                return fault
        return None

    return script


LAYER = sample.layer(7, 900_000)
