"""An instance that was read before and has not changed since: without YAML and its checks.

Going on with a killed run must be quick, and reading an instance with all its checks takes as long
as everything else together. What is kept holds no secret, only where secrets are.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from changeover import __version__
from changeover.instances.given import NOTHING, Given
from changeover.instances.place import INSTANCE
from changeover.instances.secrets import Learner, Reference, Secrets, unheard
from changeover.model.instance import Instance
from changeover.model.remembered import rebuilt, recall, remember

FILES = (INSTANCE, "answers.yaml")


def open_known(
    folder: Path, state: Path, learn: Learner = unheard, given: Given = NOTHING
) -> tuple[Instance, Secrets]:
    """Read an instance and its secrets, from what `state` remembers where that still holds."""
    folder = folder.absolute()
    if not (folder / INSTANCE).is_file():
        # An environment of Ansible is spread over too many files to be remembered.
        from changeover.instances.folder import open_instance  # noqa: PLC0415 - see below

        return open_instance(folder, learn, given)
    given.refuse_forms()
    key, file = _key(folder), state / "instance.json"
    kept = recall(file, key)
    if kept:
        instance = rebuilt(Instance, kept.get("instance"))
        references = {n: rebuilt(Reference, r) for n, r in kept.get("references", {}).items()}
        whole = {name: r for name, r in references.items() if r is not None}
        if instance is not None and whole.keys() == references.keys():
            instance = replace(instance, vault_passwords=given.named_passwords)
            return instance, Secrets(whole, folder, learn)
    # Only now: pydantic and its models cost a fifth of a second.
    from changeover.instances.folder import open_instance  # noqa: PLC0415 - slow, only what changed

    instance, secrets = open_instance(folder, learn, given)
    if state.is_dir():
        remember(file, key, instance=instance, references=dict(secrets.references))
    return instance, secrets


def _key(folder: Path) -> str:
    found = hashlib.sha256(f"{__version__} {folder}".encode("utf-8", "surrogateescape"))
    for name in FILES:
        path = folder / name
        found.update(path.read_bytes() if path.is_file() else b"\0")
    return found.hexdigest()
