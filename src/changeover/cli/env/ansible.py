"""A new environment in the form of those beside it: an inventory, variables, a vault."""

from __future__ import annotations

import shutil
from pathlib import Path

from changeover.cli.options import named_passwords
from changeover.cli.secrets.place import VAULT_FILE, new_sealed
from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.agefile import secrets_text
from changeover.instances.ansible.recipe import FORMAT
from changeover.instances.draft import Draft, place_lines
from changeover.instances.place import EXTRAS, usual_inventory
from changeover.instances.sealed import Kind, write_sealed
from changeover.instances.sealedvalues import names_in
from changeover.sources.yamltext import quoted

HOSTS, VARIABLES = "hosts", "group_vars/web.yml"


def siblings(folder: Path) -> list[Path]:
    """Return the Ansible environments beside a new one, those that say most first."""
    if not folder.parent.is_dir():
        return []
    beside = sorted(p for p in folder.parent.iterdir() if p.is_dir() and p != folder)
    found = [p for p in beside if usual_inventory(p) and not p.name.startswith(".")]
    return sorted(found, key=lambda p: (not _names(p / VARIABLES), not _names(p / VAULT_FILE)))


def write_environment(folder: Path, draft: Draft, model: Path | None) -> list[str]:
    """Write hosts, variables, secrets and changeover.yaml; return the secrets still to be filled.

    What the one beside it has and this one lacks is written down as a comment to be filled.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInstance(f"{folder}: is there already", "name another folder")
    # Beside it, under a name nothing reads; there in one rename, or not at all.
    fresh = folder.with_name(f".{folder.name}.adding")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        lacking = _written(fresh, draft, model)
        fresh.replace(folder)
    except OSError as error:
        raise InvalidInstance(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return lacking


def refuse_unsealable(folder: Path) -> None:
    """Raise `InvalidInstance` where no vault password is at hand for a new environment."""
    new_sealed(b"", folder / VAULT_FILE, named_passwords(), Kind.VAULT)


def _written(folder: Path, draft: Draft, model: Path | None) -> list[str]:
    (folder / VARIABLES).parent.mkdir(parents=True)
    (host,) = draft.hosts.values()
    domain = str(draft.vars["domain"])
    user = f" ansible_user={host['user']}" if host.get("user") else ""
    port = f" ansible_port={host['port']}" if host.get("port") else ""
    (folder / HOSTS).write_text(
        f"[web]\n{domain} ansible_host={host['address']}{user}{port}\n", encoding="utf-8"
    )
    (folder / VARIABLES).write_text(_variables(draft, model), encoding="utf-8")
    lines = [f"format: {FORMAT}", *place_lines(draft), ""]
    (folder / EXTRAS[0]).write_text("\n".join(lines), encoding="utf-8")
    return _secrets(folder, draft, model)


def _variables(draft: Draft, model: Path | None) -> str:
    own = {
        "git_version": draft.deployed_from or "master",
        "tls_enabled": bool(draft.vars.get("tls_enabled")),
        "client_url": draft.endpoints[0]["url"].rstrip("/") if draft.endpoints else "",
    }
    lines = [f"{name}: {quoted(value)}" for name, value in own.items()]
    if model:
        there = _names(model / VARIABLES)
        lines += [f"# {name}: as in {model.name}?" for name in there if name not in own]
    return "\n".join([*lines, ""])


def _secrets(folder: Path, draft: Draft, model: Path | None) -> list[str]:
    there = _names(model / VAULT_FILE) if model else []
    lacking = [name for name in there if name not in draft.secrets]
    text = secrets_text(draft.secrets) + "".join(f"# {name}:\n" for name in lacking)
    sealed = new_sealed(text.encode(), folder / VAULT_FILE, named_passwords(), Kind.VAULT)
    write_sealed(folder / VAULT_FILE, sealed)
    return lacking


def _names(path: Path) -> list[str]:
    """Return the names in a file of another environment; none where it cannot be read."""
    try:
        return names_in(path, named_passwords()) if path.is_file() else []
    except InvalidInput:
        # What is wrong there is not in the way of a new one.
        return []
