"""What people write in `instance.yaml`: the models it is checked against."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from changeover.model.release import Phase
from changeover.sources.checked import Written, refused
from changeover.sources.manifest import StepWritten
from changeover.sources.words import Id, Name, Range

FORMAT = 1
"""The format of instance files this tool reads."""


class HostWritten(Written):
    """A machine and how to reach it."""

    transport: Literal["ssh", "local"] = "ssh"
    """How it is reached; `local` is this machine itself."""
    address: str = ""
    """What to connect to; the host's name unless it says otherwise."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Of sshd; what your ssh configuration says unless it is written."""
    user: str = ""
    """Who to log in as; what your ssh configuration says unless it is written."""
    roles: list[Id] = Field(default_factory=list)
    """What it is for: steps choose hosts by these words."""
    become: Literal["", "sudo"] = ""
    """Work as root, through `sudo`."""
    become_password: str = ""
    """The secret that holds the password for sudo."""
    ssh_config: str = ""
    """A file for `ssh -F`."""
    options: dict[str, str] = Field(default_factory=dict)
    """Further `ssh -o` options, such as `ProxyJump`."""
    state_dir: str = "/var/lib/changeover"
    """Where journal, store and backups are kept on the host."""
    vars: dict[Name, Any] = Field(default_factory=dict)
    """Values of this host alone, for templates: `host.vars`."""


class SecretWritten(Written):
    """Where a secret is kept. Never the secret itself."""

    age: str | None = None
    """An age file of `name: value` lines."""
    key: str = ""
    """What the secret is called in that file, if not as here."""
    env: str | None = None
    """A variable of the environment."""
    file: str | None = None
    """A file whose content it is."""
    command: list[str] | None = None
    """A program that prints it."""

    @model_validator(mode="after")
    def _one_place(self) -> SecretWritten:
        given = [w for w in ("age", "env", "file", "command") if getattr(self, w)]
        if len(given) != 1:
            raise refused(
                "names no single place", "write one of {age:}, {env:}, {file:}, {command:}"
            )
        return self


def _secret(value: Any) -> Any:
    if isinstance(value, str | int | float):
        remedy = "keep the value in secrets.age (changeover secrets edit): {age: secrets.age}"
        raise refused("a secret must not be written here in clear", remedy)
    return value


def _url(value: str) -> str:
    if not re.match(r"https?://[^\s/]+", value):
        raise refused(f"`{value[:60]}` is not an address", "write https://host/path")
    return value


class EndpointWritten(Written):
    """An address users depend on, watched while a run lasts."""

    name: Id
    """What it is called in runs."""
    url: Annotated[str, AfterValidator(_url)]
    """What is asked."""
    expect: Annotated[int, Field(ge=100, le=599)] = 200
    """The code it must answer with."""
    contains: str = ""
    """A text that must be in the answer."""
    ca: str = ""
    """A file of certificates to trust."""
    resolve: str = ""
    """An address to connect to instead of the URL's host."""


class SiteStepWritten(Written):
    """A step of the operator, put before or after a phase or a step of the release."""

    before: str = ""
    """A phase or a step of the release it goes before."""
    after: str = ""
    """A phase or a step of the release it goes after."""
    step: StepWritten
    """The step."""

    @model_validator(mode="after")
    def _one_anchor(self) -> SiteStepWritten:
        if bool(self.before) == bool(self.after):
            phases = ", ".join(Phase)
            raise refused("needs `before` or `after`", f"name a step or a phase: {phases}")
        if not self.step.use or not self.step.id:
            raise refused("its step needs `id` and `use`", "write step: {id: ..., use: ...}")
        return self


def _format(value: Any) -> Any:
    if value != FORMAT or isinstance(value, bool):
        raise refused(f"format {value} is not known", f"this tool reads format {FORMAT}")
    return value


class ResourceWritten(Written):
    """Something the instance needs from somebody."""

    where: str = ""
    """Who runs it and where: a provider, a project, a console."""
    contact: str = ""
    """Whom to ask for it, and to give it back to."""
    of: str = ""
    """What it is called there."""


class PlaceWritten(Written):
    """What people want to know of an environment: no step reads it, `env` shows and asks it."""

    description: str = ""
    """What the environment is for."""
    deployed_from: str = ""
    """The branch it is meant to be deployed from."""
    resources: dict[Id, ResourceWritten] = Field(default_factory=dict)
    """What it needs from others: `vm`, `database`, `dns`, `callbacks`, or any other word."""


class RegistryWritten(Written):
    """A registry of images and how it is reached."""

    user: str = ""
    """Who to log in as."""
    password: str = ""
    """Of that user: `"{{ secrets.NAME }}"`."""
    token: str = ""
    """An identity token instead of a password: `"{{ secrets.NAME }}"`."""
    plain_http: bool = False
    """Speak to it without TLS."""
    ca: str = ""
    """A file of certificates to trust, relative to this one."""

    @model_validator(mode="after")
    def _kept_elsewhere(self) -> RegistryWritten:
        for word in ("password", "token"):
            value = getattr(self, word)
            if value and "{{" not in value:
                remedy = f'keep it in secrets.age, and write {word}: "{{{{ secrets.NAME }}}}"'
                raise refused(f"{word}: a secret must not be written here in clear", remedy)
        return self


class InstanceWritten(PlaceWritten):
    """One installation of a product."""

    format: Annotated[
        int, BeforeValidator(_format), WithJsonSchema({"type": "integer", "const": FORMAT})
    ]
    """The format of this file."""
    name: Id
    """What the instance is called."""
    product: Id
    """What is installed."""
    language: str = "en"
    """The language of releases' texts."""
    hubs: list[str] = Field(default_factory=list)
    """Folders of releases, relative to this file, the guides that come with this tool unless there
    are any; and where `release use` fetches them from:
    `docker://HOST/REPOSITORY`, `oci:FOLDER`."""
    edition: str = ""
    """The edition that is installed."""
    method: str = ""
    """How it was installed."""
    modules: dict[str, Range] = Field(default_factory=dict)
    """The modules it has, each with its version or nothing."""
    features: list[str] = Field(default_factory=list)
    """Words that releases may ask for in conditions."""
    hosts: Annotated[dict[Id, HostWritten], Field(min_length=1)]
    """The machines, by name."""
    vars: dict[Name, Any] = Field(default_factory=dict)
    """Values for templates."""
    inputs: dict[Name, Any] = Field(default_factory=dict)
    """Answers to the release's inputs."""
    secrets: dict[Name, Annotated[SecretWritten, BeforeValidator(_secret)]] = Field(
        default_factory=dict
    )
    """Where each secret is kept, by name."""
    databases: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    """Databases by name: `url`, and `on`, the role that reaches it."""
    registries: dict[str, RegistryWritten] = Field(default_factory=dict)
    """Registries of images, by `HOST[:PORT]` or `HOST/PATH`: who to log in as, and how."""
    endpoints: list[EndpointWritten] = Field(default_factory=list)
    """Addresses watched while a run lasts."""
    site_steps: list[SiteStepWritten] = Field(default_factory=list)
    """Steps of your own in every release."""
