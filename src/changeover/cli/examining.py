"""What is wrong with an instance folder, and with the ways to its hosts."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from changeover.cli.options import given_words
from changeover.errors import ChangeoverError
from changeover.hosts.command import command
from changeover.hosts.connect import connect
from changeover.instances.agefile import KEY
from changeover.instances.folder import open_instance
from changeover.instances.given import NOTHING
from changeover.instances.secrets import Secrets
from changeover.model.findings import Finding, failed, passed, warned
from changeover.model.instance import Instance
from changeover.model.secret import Masker
from changeover.sources.folder import releases_of


def examined(folder: Path, *, offline: bool) -> Iterator[Finding]:
    """Yield what is as it must be and what is not; raise where the folder cannot be read at all."""
    masker = Masker()
    instance, secrets = open_instance(folder, masker.learn, given_words() or NOTHING)
    yield passed(f"{instance.origin} describes {instance.name}, a {instance.product}")
    yield from instance.remarks
    yield from _secrets(secrets)
    yield from _key(instance.folder)
    yield from _files(instance)
    if not offline:
        for finding in _hosts(instance, secrets, masker):
            yield replace(finding, message=masker.text(finding.message))


def _secrets(secrets: Secrets) -> Iterator[Finding]:
    missing = secrets.missing()
    for name in secrets:
        if name in missing:
            yield failed(missing[name].message, missing[name].remedy)
        else:
            yield passed(f"secret {name} is at hand ({secrets.reference(name).kind})")


def _key(folder: Path) -> Iterator[Finding]:
    key = folder / KEY
    if not key.is_file():
        return
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield failed(f"{key} can be read by others", f"chmod 600 {key}")
    ignored = _git(folder, "check-ignore", "-q", KEY)
    if ignored == 1:
        remedy = f"write {KEY} into {folder}/.gitignore"
        yield failed(f"{KEY} is not ignored by git", remedy)
    if _git(folder, "ls-files", "--error-unmatch", KEY) == 0:
        remedy = "remove it from git (git rm --cached), then make new secrets: it is known"
        yield failed(f"{KEY} is committed to git", remedy)


def _git(folder: Path, *words: str) -> int:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, check=False, timeout=30
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 128


def _files(instance: Instance) -> Iterator[Finding]:
    for endpoint in instance.endpoints:
        if endpoint.ca and not Path(endpoint.ca).is_file():
            remedy = "correct `ca:`, or bring the file"
            yield failed(f"endpoint {endpoint.name}: no file {endpoint.ca}", remedy)
    try:
        found = releases_of(instance.hub_folders, instance.product)
    except ChangeoverError as error:
        yield warned(error.message, error.remedy)
    else:
        yield passed(f"{len(found)} releases of {instance.product}, up to {found[-1].version}")


def _hosts(instance: Instance, secrets: Secrets, masker: Masker) -> Iterator[Finding]:
    for spec in instance.hosts.values():
        try:
            password = secrets[spec.become_password] if spec.become_password else None
            host = connect(spec, password=password, masker=masker)
            try:
                who = host.do(command("id", "-un"), timeout=60).strip()
            finally:
                host.transport.close()
        except ChangeoverError as error:
            yield replace(failed(error.message, error.remedy or "try ssh by hand"), host=spec.name)
        else:
            yield replace(passed(f"can be reached, as {who}"), host=spec.name)
