"""Releases that merge a compose file the operator of one of two hosts edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from changeover.engine.preflight import examine
from changeover.model.findings import Severity
from tests.engine.world import World

WEB = "  web:\n    image: web:1\n    mem_limit: 1g\n"
DB = "  db:\n    image: db:1\n"
CACHE = "  cache:\n    image: cache:1\n"
WHOLE = f"services:\n{WEB}{DB}"
EDITS = [("1g", "2g  # measured"), ("db:1", "db:1\n    # ours\n    restart: always")]


def edited_world(folder: Path) -> World:
    """Make two hosts whose compose.yml the operator of the first one edited."""
    world = World(folder)
    publish(world, "1.0.0", {"app": ("compose.yml", WHOLE, {})})
    world.apply()
    file = compose(world)
    text = file.read_text()
    for old, new in EDITS:
        text = text.replace(old, new)
    file.write_text(text)
    file.chmod(0o640)
    return world


def publish(world: World, version: str, files: dict[str, tuple[str, str, dict[str, Any]]]) -> None:
    """A release that merges files on every web host, in this order."""
    steps = [
        {"id": name, "use": "files.merge", "on": "web", "with": {"config": name}} for name in files
    ]
    home = "{{ host.vars.home }}"
    configs = {
        name: {"reference": f"files/{name}", "at": f"{home}/{at}", **more}
        for name, (at, _, more) in files.items()
    }
    folder = world.release(version, steps, configs=configs)
    (folder / "files").mkdir(exist_ok=True)
    for name, (_, text, _more) in files.items():
        (folder / "files" / name).write_text(text)


def compose(world: World, name: str = "compose.yml") -> Path:
    return world.root / "one" / name


def complaints(world: World) -> list[str]:
    session = world.session()
    try:
        findings, _ = examine(session, world.request(session))
    finally:
        session.close()
    return [f"{f.host}: {f.message}" for f in findings if f.severity is Severity.FAIL]


def names(world: World) -> list[str]:
    return sorted(path.name for path in (world.root / "one").iterdir())
