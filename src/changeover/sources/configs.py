"""The configuration files of a release, and the steps that merge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from changeover.errors import InvalidRelease
from changeover.model.config import Config
from changeover.model.problem import suggestion
from changeover.model.text import Text
from changeover.sources.configs_written import ConfigWritten

MERGE = "files.merge"
"""The action that reads `configs:`."""

_AS_THEY_ARE = ("base", "format", "tree", "mounted", "keep_old")
_LISTED = ("was", "required", "secrets", "validate", "refresh")


def made_configs(written: Mapping[str, ConfigWritten]) -> dict[str, Config]:
    """Make the configuration files of a release."""
    return {name: _config(one) for name, one in written.items()}


def _config(written: ConfigWritten) -> Config:
    return Config(
        reference=written.reference,
        at=written.at,
        was=tuple(written.was),
        keep_old=written.keep_old,
        override=written.override,
        base=written.base,
        format=written.format,
        identity={path: tuple(fields) for path, fields in written.identity.items()},
        renamed=written.renamed,
        required=tuple(written.required),
        secrets=tuple(written.secrets),
        notes={path: Text(said) for path, said in written.notes.items()},
        validate=tuple(written.validate_),
        tree=written.tree,
        refresh=tuple(written.refresh),
        mounted=written.mounted,
    )


def configured(
    params: Mapping[str, Any], configs: Mapping[str, Config], method: str, language: str = "en"
) -> dict[str, Any]:
    """Return the parameters of a merging step, with those of the file it names by `config`.

    What the step says itself counts more. Raises `InvalidRelease` for an unknown name.
    """
    name = params.get("config")
    if not name:
        return dict(params)
    if name not in configs:
        remedy = suggestion(str(name), configs) or "define it under `configs:`"
        raise InvalidRelease(f"no configuration file is called `{name}`", remedy)
    config = configs[name]
    told: dict[str, Any] = {
        "reference": config.variant(config.reference, method),
        "path": config.variant(config.at, method),
        "override": config.variant(config.override, method),
        "identity": {path: list(fields) for path, fields in config.identity.items()},
        "renamed": dict(config.renamed),
        "notes": {path: said.to(language) for path, said in config.notes.items()},
    }
    told |= {word: getattr(config, word) for word in _AS_THEY_ARE}
    told |= {word: list(getattr(config, word)) for word in _LISTED}
    return {**{word: value for word, value in told.items() if value}, **params}


def merge_words(
    params: Mapping[str, Any], configs: Mapping[str, Config], methods: Sequence[str]
) -> dict[str, Any]:
    """Return the parameters of a merging step for the first method, where its file is known."""
    known = params.get("config") in configs
    return configured(params, configs, methods[0] if methods else "") if known else dict(params)
