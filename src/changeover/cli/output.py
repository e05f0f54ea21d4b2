"""Print values in the form that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from changeover.model.codec import to_json


def emit(value: Any, lines: Iterable[str], output: str) -> None:
    """Print a value as JSON or YAML, or its lines for people."""
    if output == "text":
        for line in lines:
            click.echo(line)
        return
    data = to_json(value)
    if output == "json":
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    import yaml  # noqa: PLC0415 - only for those who ask for YAML

    click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip())
