"""The way back for packages: earlier versions from the sources or from what was kept of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect
from changeover.tools.packages import Choice, PackageTool

BACK = Choice(recommends=False, downgrades=True)


@dataclass(frozen=True)
class Return:
    """What brings packages back to the versions they had."""

    installs: tuple[str, ...] = ()
    """`name=version`, or the file of a kept package."""
    removals: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    """`name=version` that can be had nowhere any more."""


def saved_in(host: Host) -> str:
    """Return the folder on the host where packages are kept for going back."""
    return f"{host.state_dir}/store/packages"


def plan_return(host: Host, tool: PackageTool, versions: Mapping[str, str]) -> Change:
    """Say what going back would do, what else it would take along, and what cannot come back."""
    now = _now(host, tool, versions)
    due = _return(host, tool, versions, now)
    parts = [f"bring back {_named(host, p)}" for p in due.installs]
    parts += [f"remove {name} {now[name]}" for name in due.removals]
    lost = ", ".join(due.lost)
    unable = f"; can be had nowhere any more: {lost}" if lost else ""
    needed = bool(due.installs or due.removals)
    return Change(
        Effect.UPDATE if due.installs else Effect.DELETE if needed else Effect.NONE,
        (", ".join(parts) or "packages are as they were before") + unable,
        facts={f"package {name}": now.get(name, "none") for name in versions},
        alters=tuple(f"package {name}" for name in versions) if needed else (),
        question=_loss(host, tool, due) if needed else "",
    )


def return_all(host: Host, tool: PackageTool, versions: Mapping[str, str]) -> None:
    """Bring packages back to the versions they had, as far as that can be."""
    due = _return(host, tool, versions, _now(host, tool, versions))
    if due.installs:
        host.do_once(tool.install(due.installs, BACK), label="bring back")
    if due.removals:
        host.do_once(tool.remove(due.removals, purge=False), label="take away")


def _return(
    host: Host, tool: PackageTool, versions: Mapping[str, str], now: Mapping[str, str]
) -> Return:
    removals = tuple(n for n, old in versions.items() if not old and n in now)
    older = [f"{n}={old}" for n, old in versions.items() if old and now.get(n) != old]
    if not older:
        return Return(removals=removals)
    kept = tool.parse_saved(host.ask(tool.saved(saved_in(host))).stdout)
    names = [package.partition("=")[0] for package in older]
    offered = tool.parse_offered(host.ask(tool.offered(names)).stdout)
    installs = [kept.get(p) or (p if p in offered else "") for p in older]
    lost = tuple(p for p, source in zip(older, installs, strict=True) if not source)
    return Return(tuple(filter(None, installs)), removals, lost)


def _now(host: Host, tool: PackageTool, versions: Mapping[str, str]) -> Mapping[str, str]:
    return tool.parse_versions(host.ask(tool.versions(versions)).stdout) if versions else {}


def _named(host: Host, package: str) -> str:
    file = package.removeprefix(f"{saved_in(host)}/")
    return file if file == package else "=".join(file.split("_")[:2]).replace("%3a", ":")


def _loss(host: Host, tool: PackageTool, due: Return) -> str:
    """Name what an undo would not bring back, or take along though it came later."""
    told = [f"{', '.join(due.lost)} can be had nowhere any more; go back without?"] * bool(due.lost)
    if due.removals:
        done = host.ask(tool.rehearse_removal(due.removals))
        others = {m.name for m in tool.parse_moves(done.stdout)} - set(due.removals)
        told += [f"{', '.join(sorted(others))} would be removed too; go on?"] * bool(others)
    return " ".join(told)
