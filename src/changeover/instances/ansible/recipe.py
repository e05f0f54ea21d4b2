"""What a guide knows of Ansible environments of its platform: `ansible.yaml` in its folder.

What people add beside an inventory, `changeover.yaml`, has the same sections: theirs count more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from changeover.errors import InvalidInput, InvalidInstance
from changeover.instances.ansible.playbook import Playbook
from changeover.instances.place import EXTRAS
from changeover.instances.written import PlaceWritten, SecretWritten, SiteStepWritten
from changeover.sources.checked import Written, checked, insist, refused
from changeover.sources.heading import read_heading
from changeover.sources.words import Id, Name, Range, Words
from changeover.sources.yamltree import read_tree

RECIPE = "ansible.yaml"
MANIFEST = "release.yaml"
FORMAT = 1

M = TypeVar("M", bound=Written)


def _format(value: Any) -> Any:
    if value != FORMAT or isinstance(value, bool):
        raise refused(f"format {value} is not known", f"this tool reads format {FORMAT}")
    return value


Format = Annotated[
    int, BeforeValidator(_format), WithJsonSchema({"type": "integer", "const": FORMAT})
]


class SectionsWritten(Written):
    """What Ansible has no place for, said with its variables: strings are its templates."""

    roles: dict[Id, Words] = Field(default_factory=dict)
    """Role -> groups whose hosts have it, beside those called like it."""
    become: bool | None = None
    """Whether the guide needs root: through sudo, for who logs in as somebody else."""
    vars: dict[Name, Any] = Field(default_factory=dict)
    """`vars` of the instance; `{{ name | default(omit) }}` leaves one out."""
    inputs: dict[Name, Any] = Field(default_factory=dict)
    """Answers to the release's inputs."""
    secrets: dict[Name, str | SecretWritten] = Field(default_factory=dict)
    """Secrets of the instance, as templates or by the place where they are kept."""
    databases: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Databases by name, as in instance.yaml."""
    endpoints: list[dict[str, Any]] = Field(default_factory=list)
    """Addresses watched while a run lasts."""
    plain: list[Name] = Field(default_factory=list)
    """Names in the file of secrets that need not be masked."""


class RecognizeWritten(Written):
    """How an environment of the platform is recognized: by all of these."""

    roles: list[str] = Field(default_factory=list)
    """Roles its playbook has."""
    variables: list[Name] = Field(default_factory=list)
    """Variables it defines."""


class RecipeWritten(SectionsWritten):
    """How environments of a platform are read."""

    format: Format
    """The format of this file."""
    recognize: RecognizeWritten
    """How an environment of the platform is recognized."""
    belongs: dict[str, list[Name]] = Field(default_factory=dict)
    """File -> variables that belong in it; said where one is missing."""
    booleans: list[Name] = Field(default_factory=list)
    """Variables the playbook uses as conditions: text there means two things."""


class HostExtraWritten(Written):
    """What an inventory cannot say of a host."""

    roles: list[Id] = Field(default_factory=list)
    """Further roles."""
    state_dir: str = "/var/lib/changeover"
    """Where journal, store and backups are kept on the host."""
    options: dict[str, str] = Field(default_factory=dict)
    """Further `ssh -o` options."""


class ExtrasWritten(SectionsWritten, PlaceWritten):
    """What Ansible has no place for, written beside the inventory."""

    format: Format
    """The format of this file."""
    name: Id | None = None
    """What the instance is called; the folder's name unless it says otherwise."""
    product: Id | None = None
    """What is installed; found by the guides unless it says otherwise."""
    language: str = "en"
    """The language of releases' texts."""
    hubs: list[str] = Field(default_factory=list)
    """Folders of releases, relative to this file; the shipped guides unless there are any."""
    edition: str = ""
    """The edition that is installed."""
    method: str = ""
    """How it was installed."""
    modules: dict[str, Range] = Field(default_factory=dict)
    """The modules it has."""
    features: list[str] = Field(default_factory=list)
    """Words that releases may ask for in conditions."""
    inventory: str = ""
    """The inventory, where it is not called `hosts` or `inventory`."""
    playbook: str = ""
    """The playbook, where it is not found above."""
    secrets_file: str = "secrets"
    """The file given to Ansible as `-e @FILE`."""
    limit: str = ""
    """Which hosts, as `--limit` says it; those of the playbook unless it says otherwise."""
    hosts: dict[str, HostExtraWritten] = Field(default_factory=dict)
    """What an inventory cannot say of a host."""
    site_steps: list[SiteStepWritten] = Field(default_factory=list)
    """Steps of your own in every release."""


def read_extras(folder: Path) -> ExtrasWritten:
    """Read `changeover.yaml` beside an inventory; nothing where there is none."""
    path = next((folder / name for name in EXTRAS if (folder / name).is_file()), None)
    if path is None:
        return ExtrasWritten(format=FORMAT)
    return _read(ExtrasWritten, path)


def read_recipe(path: Path) -> RecipeWritten:
    """Read how a guide reads environments; raises `InvalidInstance`."""
    return _read(RecipeWritten, path)


def _read(model: type[M], path: Path) -> M:
    try:
        written, problems = checked(model, read_tree(path))
    except InvalidInput as error:
        raise InvalidInstance(error.message, error.remedy) from None
    insist(problems, InvalidInstance)
    if written is None:
        raise InvalidInstance(f"{path}: cannot be read")
    return written


def find_recipe(
    hubs: list[Path], product: str, playbook: Playbook | None, names: set[str]
) -> tuple[str, RecipeWritten | None]:
    """Return the product an environment is of, and how to read it.

    Of a product that is named, the newest recipe is taken whatever it recognizes.
    """
    for found, path in _recipes(hubs):
        if product not in ("", found):
            continue
        recipe = read_recipe(path)
        if product or _recognized(recipe.recognize, playbook, names):
            return found, recipe
    return product, None


def _recipes(hubs: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield product and path, the newest release first."""
    paths = [p for hub in hubs for p in (*hub.glob(f"*/{RECIPE}"), *hub.glob(f"*/*/{RECIPE}"))]
    for path in sorted(paths, key=lambda p: p.parent.name, reverse=True):
        if (path.parent / MANIFEST).is_file():
            yield read_heading(path.parent / MANIFEST)[0].product, path


def _recognized(recognize: RecognizeWritten, playbook: Playbook | None, names: set[str]) -> bool:
    roles = {role.name for role in playbook.roles} if playbook else set()
    return set(recognize.roles) <= roles and set(recognize.variables) <= names


def joined(recipe: RecipeWritten | None, extras: ExtrasWritten) -> SectionsWritten:
    """Return the sections of a guide with those written beside the inventory over them."""
    if recipe is None:
        return extras
    over: Mapping[str, Any] = {
        name: {**getattr(recipe, name), **getattr(extras, name)}
        for name in ("roles", "vars", "inputs", "secrets", "databases")
    }
    become = recipe.become if extras.become is None else extras.become
    return SectionsWritten.model_construct(
        **over,
        become=become,
        endpoints=extras.endpoints or recipe.endpoints,
        plain=[*recipe.plain, *extras.plain],
    )
