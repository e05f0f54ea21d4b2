"""The playbook an environment is deployed with: whom it is for, its variables, its roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInstance
from changeover.instances.ansible.config import Config
from changeover.instances.ansible.varfile import parse_yaml, read_bytes

NAMES = ("playbook", "site", "main", "deploy", "all")
ENDINGS = (".yml", ".yaml")
ROLES = ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles")
KEYWORDS = frozenset((
    "any_errors_fatal", "become", "become_exe", "become_flags", "become_method", "become_user",
    "check_mode", "collections", "connection", "debugger", "delegate_facts", "delegate_to",
    "diff", "environment", "ignore_errors", "ignore_unreachable", "module_defaults", "name",
    "no_log", "port", "remote_user", "role", "run_once", "tags", "throttle", "timeout", "vars",
    "when",
))  # fmt: skip
"""What an entry of `roles:` may say beside its parameters."""
DEEPEST = 10
"""Playbooks that import playbooks, roles that depend on roles."""


@dataclass(frozen=True)
class Role:
    """A role a play names."""

    name: str
    folder: Path | None
    """None where it is not on this machine."""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Play:
    """What a play says that matters for variables and connections."""

    hosts: str
    path: Path
    vars: Mapping[str, Any] = field(default_factory=dict)
    vars_files: Sequence[Any] = ()
    roles: tuple[Role, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """`become`, `remote_user`, `connection` and the like, as written."""


@dataclass(frozen=True)
class Playbook:
    """A playbook and its plays, with those it imports."""

    path: Path
    plays: tuple[Play, ...]

    @property
    def folder(self) -> Path:
        """What Ansible calls `playbook_dir`."""
        return self.path.parent

    @property
    def roles(self) -> list[Role]:
        """The roles of all plays, each once, those they depend on first."""
        return once(role for play in self.plays for role in play.roles)


def once(roles: Iterable[Role]) -> list[Role]:
    """Return each role where it stands last: that is where its variables count."""
    named: dict[str, Role] = {}
    for role in roles:
        named.pop(role.name, None)
        named[role.name] = role
    return list(named.values())


def find_playbook(folder: Path, config: Config, named: str = "") -> Playbook | None:
    """Find the playbook above an environment; None where there is none."""
    if named:
        path = (folder / named).resolve()
        return Playbook(path, tuple(_plays(path, config)))
    for parent in (folder, *config.parents):
        candidates = [parent / f"{name}{ending}" for name in NAMES for ending in ENDINGS]
        found = next((path for path in candidates if _is_playbook(path)), None)
        found = found or _only_playbook(parent)
        if found:
            return Playbook(found, tuple(_plays(found, config)))
    return None


def _only_playbook(folder: Path) -> Path | None:
    # Beside roles, a file of plays is a playbook whatever it is called.
    if not (folder / "roles").is_dir():
        return None
    found = [path for path in sorted(folder.glob("*.y*ml")) if _is_playbook(path)]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InvalidInstance(
            f"{folder}: which playbook? There is {names}", "name it in changeover.yaml: playbook:"
        )
    return found[0] if found else None


def _is_playbook(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        value = parse_yaml(read_bytes(path), str(path))[0]
    except InvalidInstance:
        return False
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and bool({"hosts", "import_playbook"} & set(first))


def _plays(path: Path, config: Config, depth: int = 0) -> Iterator[Play]:
    value = parse_yaml(read_bytes(path), str(path))[0]
    if not isinstance(value, list) or depth > DEEPEST:
        raise InvalidInstance(f"{path}: is no playbook", "name it in changeover.yaml: playbook:")
    for entry in value:
        if not isinstance(entry, dict):
            raise InvalidInstance(f"{path}: a play is not a mapping", "write - hosts: web")
        imported = entry.get("import_playbook") or entry.get("ansible.builtin.import_playbook")
        if imported:
            yield from _plays(path.parent / str(imported), config, depth + 1)
        else:
            yield _play(entry, path, config)


def _play(entry: Mapping[str, Any], path: Path, config: Config) -> Play:
    hosts = entry.get("hosts", "")
    files = entry.get("vars_files") or ()
    places = [path.parent / "roles", *config.paths("roles_path")]
    places += [*(Path(r).expanduser() for r in ROLES), path.parent]
    named = [role for w in entry.get("roles") or () for role in _roles(w, places)]
    return Play(
        hosts=",".join(map(str, hosts)) if isinstance(hosts, list) else str(hosts),
        path=path,
        vars=_variables(entry.get("vars")),
        vars_files=[files] if isinstance(files, str) else list(files),
        roles=tuple(once(named)),
        keywords={k: v for k, v in entry.items() if k not in ("vars", "tasks", "roles")},
    )


def _variables(written: Any) -> dict[str, Any]:
    parts = written if isinstance(written, list) else [written or {}]
    return {str(k): v for part in parts if isinstance(part, dict) for k, v in part.items()}


def _roles(written: Any, places: Sequence[Path], depth: int = 0) -> Iterator[Role]:
    """Yield the roles a role depends on, then the role."""
    entry = written if isinstance(written, dict) else {"role": str(written)}
    name = str(entry.get("role") or entry.get("name") or "")
    folder = next((p / name for p in places if name and (p / name).is_dir()), None)
    if folder and depth < DEEPEST:
        for path in varfiles(folder / "meta", "main"):
            meta = parse_yaml(read_bytes(path), str(path))[0]
            needed = meta.get("dependencies") if isinstance(meta, dict) else None
            for dependency in needed or ():
                yield from _roles(dependency, places, depth + 1)
    params = {str(k): v for k, v in entry.items() if k not in KEYWORDS}
    yield Role(name, folder, {**_variables(entry.get("vars")), **params})


def varfiles(folder: Path, name: str) -> list[Path]:
    """Return the files of variables a name stands for: a file, or all files of a folder."""
    for ending in ("", ".yml", ".yaml", ".json"):
        path = folder / f"{name}{ending}"
        if path.is_dir():
            return list(_below(path))
        if path.exists():
            return [path]
    return []


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        if path.is_dir() and not path.suffix:
            yield from _below(path)
        elif path.is_file() and path.suffix in ("", ".yml", ".yaml", ".json"):
            yield path
