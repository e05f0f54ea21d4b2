"""The images of a release, as people write them: inline, or in a file the manifest names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from changeover.errors import ChangeoverError
from changeover.sources.checked import Written, refused
from changeover.sources.oci.reference import parse_reference
from changeover.sources.when import When
from changeover.sources.words import Name

EVERY = ""
"""Stands for all editions."""


def _reference(value: str) -> str:
    try:
        found = parse_reference(value)
    except ChangeoverError as error:
        raise refused(error.message, error.remedy) from None
    if found.kind != "docker":
        remedy = "write HOST/NAME:TAG@sha256:..."
        raise refused(f"`{value[:60]}` is in a file, not in a registry", remedy)
    return value


def _by_edition(value: Any) -> Any:
    return {EVERY: value} if isinstance(value, str) else value


class ImageWritten(Written):
    """An image of the release."""

    image: Annotated[
        dict[str, Annotated[str, AfterValidator(_reference)]],
        BeforeValidator(_by_edition),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "additionalProperties": {"type": "string"}},
                ]
            }
        ),
    ]
    """Where it is, by digest: `HOST/NAME:TAG@sha256:...`; or one such line for each edition."""
    when: When | None = None
    """On which instances it is needed: a module, a method, a feature; all unless it says so."""


def _image(value: Any) -> Any:
    return {"image": value} if isinstance(value, str) else value


def _inline(value: Any) -> Any:
    return {} if isinstance(value, str) else value


def _or_file(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"type": "string"}, {k: schema.pop(k) for k in list(schema)}]


ImageField = Annotated[ImageWritten, BeforeValidator(_image)]
ImagesField = Annotated[
    dict[Name, ImageField], BeforeValidator(_inline), Field(json_schema_extra=_or_file)
]
"""The images by name; where a file is named instead, what it says is read apart."""


class ImagesWritten(Written):
    """A file of images: `images` is all of it."""

    images: dict[Name, ImageField]
    """The images by name."""
