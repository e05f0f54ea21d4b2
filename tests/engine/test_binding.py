"""What is made once for all hosts of an instance, however many of them ask at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.engine.world import World


def test_hosts_that_ask_at_once_share_what_is_decided_about_files(tmp_path: Path) -> None:
    session = World(tmp_path).session()
    binder, hosts = session.binder, 8
    barrier = Barrier(hosts)

    def ask() -> int:
        barrier.wait()
        return id(binder.merging.answers)

    with ThreadPoolExecutor(hosts) as pool:
        asked = [pool.submit(ask) for _ in range(hosts)]
    session.close()

    assert len({each.result() for each in asked}) == 1
