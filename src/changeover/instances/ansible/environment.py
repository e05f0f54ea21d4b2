"""An Ansible environment opened as an instance: read whole, changed in nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.config import Config, find_config
from changeover.instances.ansible.connection import Connections, Way, become_password
from changeover.instances.ansible.inventory import Inventory
from changeover.instances.ansible.inventory_source import find_inventory, read_inventory
from changeover.instances.ansible.jinja import UndefinedVariable, names_in
from changeover.instances.ansible.mapped import Mapped
from changeover.instances.ansible.masked import secret_texts
from changeover.instances.ansible.password import Passwords, find_passwords
from changeover.instances.ansible.pattern import matching
from changeover.instances.ansible.playbook import Playbook, find_playbook
from changeover.instances.ansible.recipe import (
    ExtrasWritten,
    RecipeWritten,
    SectionsWritten,
    find_recipe,
    joined,
    read_extras,
)
from changeover.instances.ansible.scope import Around, Layer, Scope
from changeover.instances.ansible.varfile import read_varfile
from changeover.instances.ansible.variables import (
    COMMAND_LINE,
    Variables,
    given_layers,
    layer_of,
    secret_layer,
)
from changeover.instances.ansible.vault import VaultLocked
from changeover.instances.given import NOTHING, Given
from changeover.instances.secrets import Learner, unheard
from changeover.sources.packaged import packaged_guides


class Environment:
    """The folder of an environment, and everything it is made from. Raises `InvalidInstance`."""

    def __init__(self, path: Path, given: Given = NOTHING, learn: Learner = unheard) -> None:
        self.path, self._given, self._learn = path, given, learn
        self.folder = path.parent if path.is_file() else path

    @cached_property
    def extras(self) -> ExtrasWritten:
        """What `changeover.yaml` says."""
        return read_extras(self.folder)

    @cached_property
    def config(self) -> Config:
        """The ansible.cfg above."""
        return find_config(self.folder)

    @cached_property
    def passwords(self) -> Passwords:
        """The vault passwords."""
        return find_passwords(self.folder, self.config, self._given.password_files)

    @cached_property
    def inventory(self) -> Inventory:
        """The hosts and groups."""
        found = find_inventory(self.path, self.extras.inventory)
        if found is None:
            raise InvalidInstance(
                f"{self.path}: has no inventory", "write `hosts`, or name one in changeover.yaml"
            )
        return read_inventory(found)

    @cached_property
    def playbook(self) -> Playbook | None:
        """The playbook above."""
        return find_playbook(self.folder, self.config, self.extras.playbook)

    @cached_property
    def variables(self) -> Variables:
        """The variables of every host."""
        base = self.playbook.folder if self.playbook else self.folder
        given = self._given
        around = Around(self.passwords.unseal, given.facts, base, self._learn, given.locked)
        return Variables(
            self.inventory, self.playbook, self.config, around, tuple(self._extra_layers())
        )

    @cached_property
    def secrets_file(self) -> Path | None:
        """The file that is given to Ansible as `-e @secrets`."""
        path = self.folder / self.extras.secrets_file
        return path if path.is_file() else None

    @cached_property
    def hubs(self) -> list[Path]:
        """Where releases are: those of `changeover.yaml`, else the guides that came with us."""
        named = [(self.folder / hub).resolve() for hub in self.extras.hubs]
        shipped = packaged_guides()
        return named or ([shipped] if shipped else [])

    @cached_property
    def recognized(self) -> tuple[str, RecipeWritten | None]:
        """The product, and what its guide knows of such environments."""
        names = self.variables.names()
        product, recipe = find_recipe(self.hubs, self.extras.product or "", self.playbook, names)
        if not product:
            raise InvalidInstance(
                f"{self.folder}: no guide recognizes this environment",
                "say what it is in changeover.yaml beside the inventory: `product:` and `hubs:`",
            )
        return product, recipe

    @cached_property
    def sections(self) -> SectionsWritten:
        """What the guide and `changeover.yaml` say together."""
        return joined(self.recognized[1], self.extras)

    @cached_property
    def hosts(self) -> list[str]:
        """The hosts that belong to the instance."""
        limited = self.extras.limit
        chosen = matching(self.inventory, limited) if limited else self.variables.played
        if not chosen:
            what = f"limit: {limited}" if limited else f"the plays of {_shown(self.playbook)}"
            raise InvalidInstance(
                f"{self.inventory.sources[0]}: no host matches {what}", "correct one of them"
            )
        return chosen

    @property
    def first(self) -> Scope:
        """The scope of the first host: where no host is meant, its values count."""
        return self.variables.scope(self.hosts[0])

    def way(self, host: str) -> Way:
        """Return how a host is reached."""
        become = bool(self.sections.become)
        connections = Connections(self.config, self.variables.plays_of(host), become)
        return connections.way(self.variables.scope(host), self.roles(host))

    def roles(self, host: str) -> list[str]:
        """Return what a host is for: its groups, and what the guide calls them."""
        groups = self.inventory.groups_of(host)
        named = [r for r, wanted in self.sections.roles.items() if set(wanted) & {*groups, "all"}]
        further = self.extras.hosts[host].roles if host in self.extras.hosts else []
        return list(dict.fromkeys([*groups, *named, *further]))

    def mapped(self, written: Mapping[str, Any], scope: Scope, what: str) -> Mapped:
        """Return templates of a section as values of a host."""
        return Mapped(written, scope, what, self.explained)

    def explained(self, error: UndefinedVariable) -> InvalidInstance:
        """Say of an undefined variable in which file it belongs."""
        place = self.belongs(error.name)
        return InvalidInstance(error.message, f"define `{error.name}` in {place}")

    def belongs(self, name: str) -> str:
        """Return the file a variable belongs in."""
        recipe = self.recognized[1]
        for file, names in recipe.belongs.items() if recipe else ():
            if name in names:
                return os.path.normpath(self.folder / file)
        groups = self.inventory.groups_of(self.hosts[0])
        return str(self.folder / "group_vars" / f"{groups[-1]}.yml")

    @property
    def readable(self) -> set[str]:
        """The names that something reads, or defines: others are misspelt."""
        recipe = self.recognized[1]
        said = [n for names in recipe.belongs.values() for n in names] if recipe else []
        own = self.sections.model_dump(include={"vars", "inputs", "secrets", "endpoints"})
        told = {n for layer in given_layers(self._plainly_given, self.passwords.unseal)
                for n in layer.values}  # fmt: skip
        elsewhere = {
            name
            for layer in self.variables.layers()
            if layer.named != COMMAND_LINE
            for name in layer.values
        }
        asked = mentioned(own) - {"omit"}
        return elsewhere | asked | set(said) | (told if recipe is None else set())

    @property
    def _plainly_given(self) -> list[str]:
        return [word for word in self._given.extra if not word.startswith("@")]

    def learn_secrets(self) -> None:
        """Have every value from a vault, or from the file of secrets, masked from now on."""
        plain = set(self.sections.plain)
        for layer in self.variables.layers():
            for text in secret_texts(layer, plain):
                self._learn(text)

    def refuse_told_secrets(self) -> None:
        """Raise `InvalidInput` for a secret given on the command line."""
        secrets = {name for name in self.secret_names if name not in self.sections.plain}
        for layer in given_layers(self._plainly_given, self.passwords.unseal):
            told = sorted(secrets & set(layer.values))
            if told:
                raise InvalidInput(
                    f"-e {told[0]}=...: is a secret: `ps` and the shell's history would show it",
                    f"write it to {self.folder / self.extras.secrets_file}, or to a file: -e @FILE",
                )

    @property
    def secret_names(self) -> set[str]:
        """The variables that are secrets: those in their file, and those that belong there."""
        recipe = self.recognized[1]
        file = layer_names(self.variables, str(self.secrets_file))
        belongs = recipe.belongs.get("secrets", []) if recipe else []
        return {*file, *belongs}

    def _extra_layers(self) -> list[Layer]:
        layers = []
        if self.secrets_file:
            with suppress(*((VaultLocked,) if self._given.locked else ())):
                file = read_varfile(self.secrets_file, self.passwords.unseal)
                layers.append(secret_layer(layer_of(file)))
        return [*layers, *given_layers(self._given.extra, self.passwords.unseal)]

    @cached_property
    def become_passwords(self) -> dict[str, str]:
        """Host -> the variable with its password for sudo, for those that have one."""
        if self._given.locked:
            return {}
        pairs = ((host, become_password(self.variables.scope(host))) for host in self.hosts)
        return {host: name for host, name in pairs if name}


def layer_names(variables: Variables, named: str) -> set[str]:
    """Return the names that a file defines."""
    return {n for layer in variables.extra if layer.named == named for n in layer.values}


def mentioned(value: Any) -> set[str]:
    """Return the variables all templates inside a value mention."""
    if isinstance(value, str):
        return names_in(value)
    if isinstance(value, Mapping):
        return {name for item in value.values() for name in mentioned(item)}
    items = value if isinstance(value, list) else []
    return {name for item in items for name in mentioned(item)}


def _shown(playbook: Playbook | None) -> str:
    return str(playbook.path) if playbook else "no playbook"
