"""JSON Schemas of what people write, made from the models that read it."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import typing
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from changeover.sources.manifest import FORMAT, ManifestWritten

DRAFT = "https://json-schema.org/draft/2020-12/schema"


_SHORT: dict[str, dict[str, Any]] = {
    "#/$defs/TargetWritten": {"type": "string"},
    "#/$defs/StopWritten": {"type": "string"},
    "#/$defs/ImageWritten": {"type": "string"},
    "#/$defs/ProcedureWritten": {"type": "array", "items": {"$ref": "#/$defs/StepWritten"}},
}
"""Short forms that are read as the long ones: `on: web`, a stop's version, an image, steps."""


def release_schema() -> dict[str, Any]:
    """Return the schema of `release.yaml`."""
    return schema_of(ManifestWritten, "release")


def schema_of(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the schema of a file; the strings below fields become descriptions."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    described = {m.__name__: _inherited(m) for m in _models(model)}
    for title, definition in schema.get("$defs", {}).items():
        _describe(definition, described.get(title, {}))
    _describe(schema, described[model.__name__])
    return {"$schema": DRAFT, "$id": f"urn:changeover:{name}:{FORMAT}", **_tidied(schema)}


def schema_text(schema: dict[str, Any]) -> str:
    """Return a schema as the file that is committed."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    found: dict[type[BaseModel], None] = {}
    waiting: list[Any] = [model]
    while waiting:
        seen = waiting.pop()
        if isinstance(seen, type) and issubclass(seen, BaseModel) and seen not in found:
            found[seen] = None
            waiting += [f.annotation for f in seen.model_fields.values()]
        waiting += typing.get_args(seen)
    return list(found)


def _inherited(model: type[BaseModel]) -> dict[str, str]:
    """Return the texts of a model's fields, those of its bases first."""
    bases = [m for m in reversed(model.__mro__) if issubclass(m, BaseModel) and m is not BaseModel]
    return {name: text for base in bases for name, text in _texts(base).items()}


def _texts(model: type[BaseModel]) -> dict[str, str]:
    """Return what the strings below its fields say, and below those it inherits."""
    inherited = [b for b in model.__bases__ if issubclass(b, BaseModel) and b is not BaseModel]
    texts = {name: text for base in inherited for name, text in _texts(base).items()}
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    for field, below in pairwise(getattr(tree, "body", [])):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(text))):
                alias = model.model_fields[name].alias if name in model.model_fields else None
                texts[alias or name] = " ".join(text.split())
    return texts


def _describe(definition: dict[str, Any], texts: dict[str, str]) -> None:
    for name, text in texts.items():
        if name in definition.get("properties", {}):
            definition["properties"][name]["description"] = text


def _tidied(value: Any) -> Any:
    """Leave out what says nothing: generated titles, and null where a key may be left out."""
    if isinstance(value, list):
        return [_tidied(v) for v in value]
    if not isinstance(value, dict):
        return value
    short = _SHORT.get(value.get("$ref", "")) if set(value) == {"$ref"} else None
    if short:
        return {"anyOf": [short, value]}
    tidy = {
        k: _tidied(v)
        for k, v in value.items()
        if not (k == "title" and isinstance(v, str)) and not (k == "default" and v is None)
    }
    choices = tidy.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [c for c in choices if c != {"type": "null"}]
        del tidy["anyOf"]
        tidy = {**rest[0], **tidy} if len(rest) == 1 else {**tidy, "anyOf": rest}
    return tidy
