"""The pages of release.yaml and instance.yaml, from the schemas of the models that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from changeover.instances.ansible.recipe import ExtrasWritten, RecipeWritten
from changeover.instances.written import InstanceWritten
from changeover.sources.manifest_doctor import DoctorWritten
from changeover.sources.schema import release_schema, schema_of
from manual.markdown import anchor, page, table, value

Schema = dict[str, Any]

RELEASE = """\
Every key of a `release.yaml`. Keys that are not here are errors. Texts are a sentence, or one for
each language: `{en: ..., fr: ...}`. Strings under `with` are templates: they see `vars`,
`inputs`, `secrets`, `databases`, `host`, `hosts`, `instance`, `release` and `installed`. The
schema for editors is `schema/release.json`; `changeover release lint` says more than a schema
can. What a step may use: [actions](actions.md)."""
INSTANCE = """\
Every key of an `instance.yaml`. Keys that are not here are errors. Secrets are never written in
this file: only where they are kept. The schema for editors is `schema/instance.json`; `changeover
instance check` looks at the folder, the secrets and the hosts."""
ENVIRONMENT = """\
Every key of a `changeover.yaml`, the optional file beside an Ansible inventory for what Ansible has
no place for. Strings are templates that see the environment's variables. The schema for editors is
`schema/changeover.json`. How environments are read: [You deploy with Ansible](../ansible.md)."""
RECIPE = """\
Every key of an `ansible.yaml`, the file of a release that says how Ansible environments of its
platform are read. Strings are templates that see the environment's variables. The schema for
editors is `schema/ansible.json`; `changeover release lint` checks the file."""
DOCTOR = """\
Every key of a `doctor.yaml`, the file of a release that says what `changeover doctor` looks at.
Strings are templates that see what steps see, and `params`. The schema for editors is
`schema/doctor.json`; `changeover release lint` checks the file. The page about it:
[Doctor](../doctor.md)."""
SHARED = {"StepWritten", "When", "FileFact", "PackageFact", "CommandFact", "TargetWritten"}


def release_page() -> str:
    """Return the page of release.yaml."""
    schema = release_schema()
    return page("release.yaml", RELEASE, _sections(schema, set(schema["$defs"])))


def instance_page() -> str:
    """Return the page of instance.yaml; what releases have too is explained there."""
    schema = schema_of(InstanceWritten, "instance")
    return page("instance.yaml", INSTANCE, _sections(schema, set(schema["$defs"]) - SHARED))


def environment_page() -> str:
    """Return the page of changeover.yaml; what releases have too is explained there."""
    schema = schema_of(ExtrasWritten, "changeover")
    return page("changeover.yaml", ENVIRONMENT, _sections(schema, set(schema["$defs"]) - SHARED))


def recipe_page() -> str:
    """Return the page of ansible.yaml."""
    schema = schema_of(RecipeWritten, "ansible")
    return page("ansible.yaml", RECIPE, _sections(schema, set(schema["$defs"]) - SHARED))


def doctor_page() -> str:
    """Return the page of doctor.yaml."""
    schema = schema_of(DoctorWritten, "doctor")
    return page("doctor.yaml", DOCTOR, _sections(schema, set(schema["$defs"]) - SHARED))


def _sections(schema: Schema, here: set[str]) -> Iterator[str]:
    yield _keys(schema, here)
    for name in sorted(here):
        definition = schema["$defs"][name]
        yield f"## {_title(name)}"
        yield " ".join(definition.get("description", "").split())
        yield _keys(definition, here)


def _keys(definition: Schema, here: set[str]) -> str:
    required = definition.get("required", ())
    rows = (
        (
            f"`{key}`",
            _kind(said, here),
            "**required**" if key in required else value(said.get("default")),
            said.get("description", ""),
        )
        for key, said in definition["properties"].items()
    )
    return table(["key", "type", "default", "meaning"], rows)


def _title(name: str) -> str:
    words = {
        "FileFact": "When: file",
        "PackageFact": "When: package",
        "CommandFact": "When: command",
    }
    return words.get(name, name.removesuffix("Written"))


def _kind(said: Schema, here: set[str]) -> str:
    if "$ref" in said:
        name = said["$ref"].rpartition("/")[2]
        place = anchor(_title(name)) if name in here else f"release.md{anchor(_title(name))}"
        return f"[{_title(name).lower()}]({place})"
    if "const" in said:
        return f"`{said['const']}`"
    if "enum" in said:
        return " or ".join(f"`{choice}`" for choice in said["enum"] if choice)
    if "anyOf" in said or "allOf" in said:
        choices = said.get("anyOf") or said["allOf"]
        return " or ".join(dict.fromkeys(_kind(choice, here) for choice in choices))
    return _plain(said, here)


def _plain(said: Schema, here: set[str]) -> str:
    kind = said.get("type", "")
    if kind == "array":
        return f"list of {_kind(said.get('items', {}), here)}"
    if kind == "object":
        inner = said.get("additionalProperties")
        inside = _kind(inner, here) if isinstance(inner, dict) else "anything"
        return "mapping" if inside == "anything" else f"name: {inside}"
    limits = [
        word.format(said[key])
        for key, word in (
            ("minimum", "≥ {:g}"),
            ("exclusiveMinimum", "> {:g}"),
            ("maximum", "≤ {:g}"),
        )
        if key in said
    ]
    return " ".join([_WORDS.get(kind, "anything"), *limits])


_WORDS = {
    "string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
}  # fmt: skip
