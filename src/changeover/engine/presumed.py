"""What a doctor looks at where a release has no `doctor.yaml`: what its steps start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from changeover.model.diagnosis import Organ
from changeover.model.release import Release, Step
from changeover.sources.doctor import Described

_UNITS = ("systemd.start", "systemd.restart")
_PROGRAMS = ("supervisor.start", "supervisor.restart")
_NGINX = ("config", "prefix", "program")


def presumed(release: Release) -> Described:
    """Return the services, programs and web servers that the steps of a release bring up.

    Ports are left out: the release need not be the one that is installed.
    """
    organs = [organ for step in release.steps for organ in _of(step)]
    once = {(o.kind, str(o.values), o.on.name): o for o in organs}
    return Described(organs=tuple(once.values()), presumed=True)


def _of(step: Step) -> Iterator[Organ]:
    said = step.with_
    if step.use in _UNITS:
        for unit in _texts(said.get("unit"), said.get("units")):
            yield _organ(step, "programs", {"name": unit, "unit": True, "presumed": True})
    elif step.use in _PROGRAMS:
        config = {"presumed": True} | {k: said[k] for k in ("config",) if k in said}
        for name in _texts(said.get("program"), said.get("programs")):
            yield _organ(step, "supervisors", config)
            yield _organ(step, "programs", {"name": name, "presumed": True})
    elif step.use.startswith("nginx.") and step.use != "nginx.traffic":
        named = {k: said[k] for k in _NGINX if k in said}
        yield _organ(step, "nginx", {"presumed": True} | named)


def _organ(step: Step, kind: str, values: dict[str, Any]) -> Organ:
    return Organ(kind, values, step.on, step.when, step.where)


def _texts(*written: Any) -> Iterator[str]:
    for one in written:
        yield from [one] if isinstance(one, str) else one if isinstance(one, list | tuple) else ()
