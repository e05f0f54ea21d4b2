"""The actions a release may use: what they are called, where they are, and how one is made.

To add one: write its class in a module of this package, name it in `BUILT_IN`, and put a case
under `tests/cases/<name>/`. Packages outside this one use the entry point group
`changeover.actions` instead (`name = "package.module:Class"`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from changeover.actions.base import Action
from changeover.actions.parameters import Misfit, Parameter, bound, misfits, nearest, parameters_of
from changeover.errors import InvalidRelease

BUILT_IN: Mapping[str, str] = {
    "announce": "changeover.actions.announce:Announce",
    "certificate.issue": "changeover.actions.certificate:Issue",
    "certificate.list": "changeover.actions.certificate_look:Listed",
    "certificate.renew": "changeover.actions.certificate:Renew",
    "certificate.revoke": "changeover.actions.certificate:Revoke",
    "certificate.schedule": "changeover.actions.certificate_schedule:Schedule",
    "certificate.valid": "changeover.actions.certificate_look:Valid",
    "command.run": "changeover.actions.command:Run",
    "confirm": "changeover.actions.confirm:Confirm",
    "cron.mentions": "changeover.actions.usage:Scheduled",
    "data.load": "changeover.loads.load:Load",
    "deploy.prune": "changeover.actions.deploy_prune:Prune",
    "deploy.release": "changeover.actions.deploy:Release",
    "disk.free": "changeover.actions.disk:Free",
    "files.block": "changeover.actions.files_text:Block",
    "files.copy": "changeover.actions.files:Copy",
    "files.directory": "changeover.actions.files:Directory",
    "files.line": "changeover.actions.files_text:Line",
    "files.link": "changeover.actions.files:Link",
    "files.merge": "changeover.actions.files_merge:Merge",
    "files.remove": "changeover.actions.files_remove:Remove",
    "files.template": "changeover.actions.files:Template",
    "files.write": "changeover.actions.files:Write",
    "git.checkout": "changeover.actions.git:Checkout",
    "git.gather": "changeover.actions.git_gather:Gather",
    "git.reset": "changeover.actions.git_reset:Reset",
    "http.check": "changeover.actions.http:Check",
    "images.mirror": "changeover.images.mirror:Mirror",
    "migrations.downgrade": "changeover.actions.migrations_downgrade:Downgrade",
    "migrations.known": "changeover.actions.migrations_known:Known",
    "migrations.tool": "changeover.actions.migrations_tool:Tool",
    "nginx.reload": "changeover.actions.nginx:Reload",
    "nginx.site": "changeover.actions.nginx:Site",
    "nginx.traffic": "changeover.actions.usage:Traffic",
    "nginx.snippet": "changeover.actions.nginx:Snippet",
    "node.build": "changeover.actions.node:Build",
    "node.runtime": "changeover.actions.runtime_kinds:Node",
    "openid.callback": "changeover.actions.openid:Callback",
    "packages.install": "changeover.actions.packages:Install",
    "packages.remove": "changeover.actions.packages:Remove",
    "port.free": "changeover.actions.port:Free",
    "postgres.activity": "changeover.actions.usage:Activity",
    "postgres.backup": "changeover.actions.postgres_backup:BackUp",
    "postgres.drop": "changeover.actions.usage:Drop",
    "postgres.database": "changeover.actions.postgres_database:Provide",
    "postgres.migrate": "changeover.actions.postgres_migrate:Migrate",
    "postgres.query": "changeover.actions.postgres_query:Query",
    "postgres.reachable": "changeover.actions.postgres_query:Reachable",
    "postgres.restore": "changeover.actions.postgres_restore:Restore",
    "program.present": "changeover.actions.program:Present",
    "python.interpreter": "changeover.actions.runtime_kinds:Python",
    "python.venv": "changeover.actions.python:Venv",
    "runtime.prune": "changeover.actions.runtime_kinds:Prune",
    "supervisor.forget": "changeover.actions.supervisor_forget:Forget",
    "supervisor.program": "changeover.actions.supervisor_program:Program",
    "supervisor.restart": "changeover.actions.supervisor:Restart",
    "supervisor.start": "changeover.actions.supervisor:Start",
    "supervisor.stop": "changeover.actions.supervisor:Stop",
    "systemd.disable": "changeover.actions.systemd_units:Disable",
    "systemd.enable": "changeover.actions.systemd_units:Enable",
    "systemd.reload": "changeover.actions.systemd:Reload",
    "systemd.restart": "changeover.actions.systemd:Restart",
    "systemd.start": "changeover.actions.systemd:Start",
    "systemd.stop": "changeover.actions.systemd:Stop",
    "systemd.unit": "changeover.actions.systemd_units:Unit",
    "wait.command": "changeover.actions.wait:UntilCommand",
    "wait.port": "changeover.actions.wait:Port",
}
"""Name of an action -> `module:Class`, imported when it is first asked for."""

GROUP = "changeover.actions"

__all__ = ["BUILT_IN", "Misfit", "Parameter", "build", "find", "known", "parameters_of", "problems"]


def known() -> Mapping[str, str]:
    """Return every installed action as name -> `module:Class`; raise where two share a name."""
    found = dict(BUILT_IN)
    for name, place in _plugged_in():
        if found.setdefault(name, place) != place:
            raise InvalidRelease(
                f"two actions are called {name}: {found[name]} and {place}",
                "Remove one of the two packages, or rename its entry point.",
            )
    return found


def find(use: str) -> type[Action]:
    """Return the class of an action; raise `InvalidRelease` naming the nearest known word."""
    place = BUILT_IN.get(use) or known().get(use)
    if place is None:
        raise InvalidRelease(f"no action is called {use!r}", nearest(use, known()))
    module, _, name = place.partition(":")
    found: type[Action] = getattr(import_module(module), name)
    return found


def build(use: str, params: Mapping[str, Any]) -> Action:
    """Make an action from rendered parameters; raise `InvalidRelease` for the first wrong one."""
    action = find(use)
    for wrong in misfits(action, params):
        raise InvalidRelease(f"{use}: {wrong.message}", wrong.remedy)
    return action(**bound(action, params))


def problems(use: str, params: Mapping[str, Any]) -> Iterator[Misfit]:
    """Report all that is wrong with a step's parameters, templates not yet rendered.

    Values that hold a template are taken on trust: only `build` can judge them.
    """
    try:
        action = find(use)
    except InvalidRelease as error:
        yield Misfit("", error.message, error.remedy)
        return
    wrong = list(misfits(action, params, templates=True))
    yield from wrong
    if not wrong and not _templated(params):
        yield from _refusal(action, params)


def _refusal(action: type[Action], params: Mapping[str, Any]) -> Iterator[Misfit]:
    try:
        action(**bound(action, params))
    except InvalidRelease as error:
        yield Misfit("", error.message, error.remedy)


def _templated(value: Any) -> bool:
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(map(_templated, value.values()))
    return isinstance(value, list | tuple) and any(map(_templated, value))


def _plugged_in() -> Iterator[tuple[str, str]]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and rarely needed

    for point in entry_points(group=GROUP):
        yield point.name, point.value
