"""An environment's variables, host by host, in Ansible's order of precedence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.config import Config
from changeover.instances.ansible.inventory import ALL, UNGROUPED, Inventory
from changeover.instances.ansible.jinja import (
    Style,
    UndefinedVariable,
    is_template,
    version_told,
)
from changeover.instances.ansible.pattern import matching
from changeover.instances.ansible.playbook import Play, Playbook, Role, once, varfiles
from changeover.instances.ansible.scope import Around, Layer, Scope
from changeover.instances.ansible.told import told_pairs
from changeover.instances.ansible.varfile import Opener, VarFile, parse_yaml, read_varfile
from changeover.instances.ansible.vault import VaultLocked

COMMAND_LINE = "the command line"


@dataclass
class Variables:
    """Gives each host of an inventory its scope."""

    inventory: Inventory
    playbook: Playbook | None
    config: Config
    around: Around
    extra: tuple[Layer, ...] = ()
    doubled: list[str] = field(default_factory=list)
    """Names that stand twice in one file: `file: name`."""
    _files: dict[Path, VarFile] = field(default_factory=dict)
    _scopes: dict[tuple[str, Style], Scope] = field(default_factory=dict)

    def scope(self, host: str, style: Style = Style.NATIVE) -> Scope:
        """Return what the templates of a host see. Raises `InvalidInstance`."""
        if (host, style) not in self._scopes:
            layers = [*self._inventory_layers(host)]
            before = [*self._role_layers(host, "defaults"), *layers]
            layers = [*before, *self._play_layers(host, before), *self.extra]
            made = Scope(host, layers, self._magic(host, style), self.around, style)
            self._scopes[host, style] = made
        return self._scopes[host, style]

    def names(self) -> set[str]:
        """Return every name any host has."""
        return {name for host in self.inventory.hosts for name in self.scope(host)}

    def layers(self) -> Iterator[Layer]:
        """Yield the layers of all hosts, some more than once."""
        for host in self.inventory.hosts:
            yield from self.scope(host).layers

    def _role_layers(self, host: str, folder: str) -> Iterator[Layer]:
        for role in self._roles(host):
            if role.folder:
                yield from self._layers(varfiles(role.folder / folder, "main"))

    def _roles(self, host: str) -> list[Role]:
        """Return the roles of a host; of one no play is for, those that look at it."""
        plays = self.plays_of(host) or (self.playbook.plays if self.playbook else ())
        return once(role for play in plays for role in play.roles)

    def plays_of(self, host: str) -> list[Play]:
        """Return the plays that are for a host."""
        plays = self.playbook.plays if self.playbook else ()
        return [play for play, hosts in zip(plays, self._chosen, strict=True) if host in hosts]

    @cached_property
    def _chosen(self) -> list[list[str]]:
        """The hosts of each play."""
        plays = self.playbook.plays if self.playbook else ()
        return [matching(self.inventory, self._pattern(play)) for play in plays]

    def _pattern(self, play: Play) -> str:
        """Return `hosts:` of a play; its templates see the play's own variables, and `-e`."""
        if not is_template(play.hosts):
            return play.hosts
        names = {"groups": self._groups, "playbook_dir": str(play.path.parent)}
        layers = [Layer("", play.vars), *self.extra]
        where = f"{play.path}: hosts"
        try:
            found = Scope("", layers, names, self.around, Style.NATIVE).render(play.hosts, where)
        except UndefinedVariable as error:
            raise InvalidInstance(error.message, f"say for whom: -e {error.name}=web") from None
        return ",".join(map(str, found)) if isinstance(found, list) else str(found)

    def _inventory_layers(self, host: str) -> Iterator[Layer]:
        inventory, groups = self.inventory, self.inventory.groups_of(host)
        yield Layer("the inventory", inventory.groups[ALL].vars)
        yield from self._beside(self._bases, "group_vars", [ALL])
        yield from self._beside(self._play_base, "group_vars", [ALL])
        for group in groups:
            written = inventory.groups[group].vars if group in inventory.groups else {}
            kept = {k: v for k, v in written.items() if k != "ansible_group_priority"}
            yield Layer(f"{inventory.sources[0]}: [{group}:vars]", kept)
        yield from self._beside(self._bases, "group_vars", groups)
        yield from self._beside(self._play_base, "group_vars", groups)
        yield Layer(f"{inventory.origins[host]}: {host}", inventory.hosts[host])
        yield from self._beside(self._bases, "host_vars", [host])
        yield from self._beside(self._play_base, "host_vars", [host])

    def _play_layers(self, host: str, before: Sequence[Layer]) -> Iterator[Layer]:
        if not self.playbook:
            return
        plays = self.plays_of(host)
        for play in plays:
            yield Layer(f"{play.path}: vars", play.vars)
        for play in plays:
            known = [*before, Layer("", play.vars), *self.extra]
            scope = Scope(host, known, self._magic(host, Style.NATIVE), self.around, Style.NATIVE)
            for entry in play.vars_files:
                yield from self._vars_files(entry, play.path.parent, scope)
        yield from self._role_layers(host, "vars")
        for role in self._roles(host):
            yield Layer(f"{self.playbook.path}: role {role.name}", role.params)

    def _vars_files(self, entry: Any, folder: Path, scope: Scope) -> Iterator[Layer]:
        """Yield a file of `vars_files`; of a list, the first that is there."""
        choices = entry if isinstance(entry, list) else [entry]
        names = [str(scope.render(name, "vars_files")) for name in choices]
        places = [p for name in names for p in (folder / "vars" / name, folder / name)]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise InvalidInstance(
                f"{folder}: vars_files: {', '.join(names)}: no such file",
                "write it, or name another",
            )
        yield from self._layers([found])

    @cached_property
    def _bases(self) -> list[Path]:
        sources = self.inventory.sources
        return [path if path.is_dir() else path.parent for path in sources]

    @cached_property
    def _play_base(self) -> list[Path]:
        return [self.playbook.folder] if self.playbook else []

    def _beside(self, bases: Iterable[Path], kind: str, names: Iterable[str]) -> Iterator[Layer]:
        for base in bases:
            for name in names:
                if not name.startswith("/"):
                    yield from self._layers(varfiles(base / kind, name))

    def _layers(self, paths: Iterable[Path]) -> Iterator[Layer]:
        for path in paths:
            if path not in self._files:
                try:
                    self._files[path] = read_varfile(path, self.around.unseal)
                except VaultLocked:
                    if not self.around.locked:
                        raise
                    continue
                self.doubled += [f"{path}: `{name}`" for name in self._files[path].doubled]
            yield layer_of(self._files[path])

    def _magic(self, host: str, style: Style) -> dict[str, Any]:
        inventory, origin = self.inventory, self.inventory.origins[host]
        folder = {"playbook_dir": str(self.playbook.folder)} if self.playbook else {}
        roles = [role.name for role in self.playbook.roles] if self.playbook else []
        played = self.played
        return folder | {
            "inventory_hostname": host,
            "inventory_hostname_short": _short(host),
            "inventory_dir": str(origin.parent),
            "inventory_file": str(origin),
            "group_names": sorted(inventory.groups_of(host)),
            "groups": self._groups,
            "hostvars": _HostVars(self, style),
            "ansible_play_hosts": played,
            "ansible_play_hosts_all": played,
            "ansible_play_batch": played,
            "play_hosts": played,
            "role_names": roles,
            "ansible_role_names": roles,
            "ansible_play_role_names": roles,
            "ansible_check_mode": False,
            "ansible_diff_mode": False,
            "ansible_version": version_told(style),
            "ansible_inventory_sources": [str(path) for path in inventory.sources],
            "ansible_config_file": str(self.config.path) if self.config.path else None,
        }

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        names = [*self.inventory.groups, UNGROUPED]
        return {name: self.inventory.members(name) for name in names}

    @cached_property
    def played(self) -> list[str]:
        """The hosts the playbook is for; all, where there is none."""
        if not self.playbook:
            return self.inventory.members(ALL)
        return list(dict.fromkeys(host for hosts in self._chosen for host in hosts))


def _short(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host.partition(".")[0]


class _HostVars(Mapping[str, Any]):
    """The scopes of all hosts, made when they are asked for."""

    def __init__(self, variables: Variables, style: Style) -> None:
        self._variables, self._style = variables, style

    def __getitem__(self, host: str) -> Scope:
        if host not in self._variables.inventory.hosts:
            raise KeyError(host)
        return self._variables.scope(host, self._style)

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables.inventory.hosts)

    def __len__(self) -> int:
        return len(self._variables.inventory.hosts)


def layer_of(file: VarFile, *, secret: bool = False) -> Layer:
    """Return the variables of a file; those of a vault are secret."""
    return Layer(str(file.path), file.values, file.places, secret or file.sealed)


def given_layers(words: Sequence[str], unseal: Opener) -> list[Layer]:
    """Read `-e` as Ansible does: `name=value ...`, `@file`, YAML or JSON. Raises `InvalidInput`."""
    return [_given(word, unseal) for word in words if word]


def _given(word: str, unseal: Opener) -> Layer:
    if word.startswith("@"):
        return layer_of(read_varfile(Path(word[1:]).expanduser(), unseal))
    if word[0] in "/.":
        raise InvalidInput(f"-e {word}: is a path", f"to read variables from it: -e @{word}")
    if word[0] in "{[":
        value = parse_yaml(word, COMMAND_LINE)[0]
        if not isinstance(value, dict):
            raise InvalidInput(f"-e {word[:40]}: is no mapping", "-e '{name: value}'")
        return Layer(COMMAND_LINE, {str(k): v for k, v in value.items()})
    return Layer(COMMAND_LINE, told_pairs(word))


def secret_layer(layer: Layer) -> Layer:
    """Return a layer all of which is to be masked."""
    return replace(layer, secret=True)
