"""Templates: Jinja2 in a sandbox; a name nothing defines is an error that says where it belongs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.utils import missing

from changeover.errors import ChangeoverError, InvalidInput
from changeover.model.problem import suggestion
from changeover.sources.bounds import rendering
from changeover.sources.sandbox import Bounded, written
from changeover.sources.scope import SCOPE

Loader = Callable[[str], str]
"""Returns the text of a file of the bundle."""


_METHODS = frozenset(("items", "keys", "values", "get"))


class Undefined(jinja2.StrictUndefined):
    """A name nothing defines: using it says which one, and where it would be defined."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise _undefined(self._undefined_obj, str(self._undefined_name))

    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __ne__ = _fail_with_undefined_error
    __hash__ = __contains__ = __add__ = __radd__ = __getitem__ = _fail_with_undefined_error

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        self._fail_with_undefined_error()


class _Sandbox(Bounded):
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look a name up among a mapping's keys first: `vars.items` is the variable."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            if attribute not in _METHODS:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def _dotenv(value: Any) -> str:
    escaped = re.sub(r'(["\\$`])', r"\\\1", str(value)).replace("\n", "\\n")
    return f'"{escaped}"'


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, indent=indent)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


FILTERS: Mapping[str, Callable[..., Any]] = {
    "to_json": _to_json,
    "tojson": _to_json,
    "from_json": lambda value: json.loads(value) if isinstance(value, str) else value,
    "shell": lambda value: shlex.quote(str(value)),
    "dotenv": _dotenv,
    "url_quote": lambda value: quote(str(value), safe=""),
    "b64encode": lambda value: base64.b64encode(str(value).encode()).decode(),
    "b64decode": lambda value: base64.b64decode(str(value)).decode(),
    "sha256": lambda value: hashlib.sha256(str(value).encode()).hexdigest(),
    "regex_replace": lambda value, found, new: re.sub(found, new, str(value)),
}
"""Filters beside Jinja's own."""


def environment(loader: Loader | None = None) -> _Sandbox:
    """Return the sandbox; `loader` gives `include` and `import` the bundle's files."""
    return _Sandbox(
        FILTERS,
        undefined=Undefined,
        finalize=written,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=jinja2.FunctionLoader(loader) if loader else None,
    )


_ENVIRONMENT = environment()
_EXPRESSION = re.compile(r"\s*\{\{-?(.*?)-?\}\}\s*", re.DOTALL)


def is_template(text: str) -> bool:
    """Whether a text has anything to render."""
    return "{{" in text or "{%" in text or "{#" in text


def rendered(text: str, names: Mapping[str, Any], where: str = "") -> Any:
    """Render a text; one that is a single `{{ expression }}` gives the value itself, typed."""
    if not is_template(text):
        return text
    try:
        with rendering():
            return _compiled(text)(names)
    except ChangeoverError as error:
        raise type(error)(
            f"{where}: {error.message}" if where else error.message, error.remedy
        ) from error
    except Exception as error:
        raise explained(error, where or shortened(text)) from error


def rendered_file(text: str, names: Mapping[str, Any], name: str, loader: Loader) -> str:
    """Render a file of a bundle, which may include others."""
    try:
        with rendering():
            return environment(loader).from_string(text).render(names)
    except ChangeoverError as error:
        raise InvalidInput(f"{name}: {error.message}", error.remedy) from error
    except Exception as error:
        raise explained(error, name) from error


def explained(error: Exception, where: str) -> InvalidInput:
    """Translate what Jinja2, or an operation in a template, complains about."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        line = f":{error.lineno}" if error.lineno > 1 else ""
        return InvalidInput(f"{where}{line}: not a template: {error.message}", _SYNTAX)
    if isinstance(error, jinja2.UndefinedError):
        return InvalidInput(f"{where}: {error.message}", "define it, or guard it with `is defined`")
    if isinstance(error, SecurityError):
        return InvalidInput(f"{where}: not allowed in a template: {error}", "compute it elsewhere")
    why = str(error) or "it needs more memory than there is"
    return InvalidInput(f"{where}: cannot be rendered: {why}", "correct the template")


def shortened(text: str) -> str:
    """Return the beginning of a template, to name it by."""
    line = " ".join(text.split())
    return f"`{line[:57]}...`" if len(line) > 60 else f"`{line}`"


_SYNTAX = "write {{ name }} for a value, {% if %} ... {% endif %} for a choice"


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Callable[[Mapping[str, Any]], Any]:
    inner = _single_expression(text)
    if inner is None:
        template = _ENVIRONMENT.from_string(text)
        return template.render
    expression = _ENVIRONMENT.compile_expression(inner, undefined_to_none=False)
    return lambda names: _defined(expression(names))


def _single_expression(text: str) -> str | None:
    found = _EXPRESSION.fullmatch(text)
    if not found:
        return None
    body = _ENVIRONMENT.parse(text.strip()).body
    single = len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1
    return found[1] if single and isinstance(body[0], nodes.Output) else None


def _defined(value: Any) -> Any:
    if isinstance(value, jinja2.Undefined):
        str(value)
    if callable(value):
        raise InvalidInput("names a function, not a value", "put brackets after it")
    return written(value)


def _undefined(owner: Any, name: str) -> InvalidInput:
    if owner is missing:
        remedy = suggestion(name, SCOPE)
        return InvalidInput(f"nothing defines `{name}`", remedy)
    path = getattr(owner, "_path", "")
    shown = f"{path}.{name}" if path else name
    known = [str(k) for k in owner] if isinstance(owner, Mapping) else []
    place = SCOPE.get(path.partition(".")[0], "")
    define = f"define it {place}" if place and path in SCOPE else "correct the name"
    remedy = "; ".join(filter(None, (suggestion(name, known), define)))
    return InvalidInput(f"nothing defines `{shown}`", remedy)
