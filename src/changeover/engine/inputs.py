"""Answers to the inputs of a release: given now, remembered, or its defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any

from changeover.errors import InvalidInput
from changeover.model.instance import Instance
from changeover.model.problem import suggestion
from changeover.model.release import Input, Release

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def inputs_for(release: Release, instance: Instance, given: Mapping[str, str]) -> dict[str, Any]:
    """Return every answer by name; raise `InvalidInput` with all that is missing or wrong."""
    known = {i.name: i for i in release.inputs}
    others = set(instance.variables)
    troubles = [
        _unknown(name, known, others) for name in given if name not in known and name not in others
    ]
    found: dict[str, Any] = {}
    for name, asked in known.items():
        if asked.secret:
            continue
        value = given.get(name, instance.inputs.get(name, asked.default))
        if value is None:
            troubles += [_missing(asked, instance.language)] * asked.required
            continue
        try:
            found[name] = accepted(asked, value)
        except ValueError as error:
            troubles.append(f"{name}: {error}")
    if troubles:
        raise InvalidInput("; ".join(troubles), "answer with --set NAME=VALUE, or in instance.yaml")
    return found


def accepted(asked: Input, value: Any) -> Any:
    """Return an answer as its type; raise `ValueError` saying what would be one."""
    if asked.type == "int":
        return _integer(value)
    if asked.type == "bool":
        return _boolean(value)
    text = str(value)
    if asked.choices and text not in asked.choices:
        raise ValueError(f"{text!r} is none of {', '.join(asked.choices)}")
    if asked.pattern and not re.fullmatch(asked.pattern, text):
        raise ValueError(f"{text!r} does not match {asked.pattern}")
    return text


def _integer(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None


def _boolean(value: Any) -> bool:
    if str(value).lower() not in _BOOLEANS:
        raise ValueError(f"{value!r} is neither true nor false")
    return _BOOLEANS[str(value).lower()]


def _missing(asked: Input, language: str) -> str:
    question = asked.ask.to(language)
    return f"{asked.name} is not answered" + (f" ({question})" if question else "")


def _unknown(name: str, known: Mapping[str, Input], others: Set[str]) -> str:
    if not others:
        asked = ", ".join(known) or "nothing"
        return f"the release asks nothing called {name}; it asks: {asked}"
    meant = suggestion(name, {*known, *others})
    return f"neither the release nor the environment reads {name}; {meant}"
