"""A release copies a file of the host."""

from __future__ import annotations

from pathlib import Path

from tests.engine.world import World


def test_a_release_copies_a_file_of_its_host_and_takes_the_copy_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    source = tmp_path / "source with ünusual name"
    source.write_bytes(bytes(range(256)) * 5000)
    wanted = {"path": "{{ host.vars.home }}/copy", "source": str(source)}
    world.release("1", [{"id": "copy", "use": "files.copy", "on": "web", "with": wanted}])

    world.apply()
    copies = {content for content, _ in world.tree().values()}
    world.undo()

    assert copies == {source.read_bytes()}
    assert world.tree() == {}
