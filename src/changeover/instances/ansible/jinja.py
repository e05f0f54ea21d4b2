"""Ansible's lazily evaluated variables: Jinja in a sandbox, in the two ways Ansible has had."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.utils import missing

from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.ansible.backslashes import KeptBackslashes
from changeover.instances.ansible.conditions import TESTS
from changeover.instances.ansible.filters import FILTERS, TextForGood
from changeover.sources.bounds import refuse_long, rendering, ticked
from changeover.sources.sandbox import Bounded, written


class Style(Enum):
    """What a template gives."""

    NATIVE = "2.19"
    """The value itself: ansible-core 2.19 and later."""
    TEXT = "2.15"
    """Text, read as a list, a mapping or a boolean where it looks like one: up to 2.18."""


def version_told(style: Style) -> dict[str, Any]:
    """Return what variables see as the version of Ansible."""
    major, minor = map(int, style.value.split("."))
    full = f"{style.value}.0"
    return {"full": full, "string": full, "major": major, "minor": minor, "revision": 0}


class UndefinedVariable(InvalidInput):
    """A variable that nothing defines was used."""

    def __init__(self, name: str, message: str = "", remedy: str = "") -> None:
        super().__init__(message or f"`{name}` is not defined", remedy)
        self.name = name


class Undefined(jinja2.StrictUndefined):
    """Nothing, until it is used: then an error that names what is missing."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        # A variable whose own template failed carries that failure here.
        if isinstance(self._undefined_obj, UndefinedVariable):
            raise self._undefined_obj
        raise UndefinedVariable(str(self._undefined_name))

    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __ne__ = _fail_with_undefined_error
    __hash__ = __contains__ = __add__ = __radd__ = __call__ = _fail_with_undefined_error

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self

    def __getitem__(self, _key: Any) -> Any:
        # Ansible lets `a.b.c | default(x)` through wherever the chain breaks.
        return self


class Omit:
    """Ansible's `omit`: what a parameter becomes that is left out."""

    def __repr__(self) -> str:
        return "omit"

    def __str__(self) -> str:
        raise InvalidInput("`omit` stands inside text", "make it the whole value")


OMIT = Omit()


class _Context(Context):
    def resolve_or_missing(self, key: str) -> Any:
        """Look a variable up when the template gets to it, and not before."""
        if key in self.vars:
            return self.vars[key]
        try:
            return self.parent[key]
        except KeyError:
            return missing
        except UndefinedVariable as error:
            return Undefined(obj=error, name=key)


class _Environment(Bounded):
    context_class = _Context
    code_generator_class = NativeCodeGenerator
    lexer = cached_property(KeptBackslashes)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look a name up among a mapping's keys where it has no such method."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


@jinja2.pass_context
def _as_it_is(_context: Context, value: Any) -> Any:
    """Leave a value alone; that the context is asked for keeps constants from becoming text."""
    return written(value)


def _environment() -> _Environment:
    made = _Environment(
        FILTERS, undefined=Undefined,
        finalize=_as_it_is, autoescape=False, trim_blocks=True, keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )  # fmt: skip
    made.tests.update(TESTS)
    for known in (made.filters, made.tests):
        known |= {f"ansible.builtin.{name}": function for name, function in known.items()}
    return made


_ENVIRONMENT = _environment()
_SINGLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
GLOBALS: Mapping[str, Any] = dict(_ENVIRONMENT.globals)
"""What templates can call without anybody defining it: `range`, `dict`, and the like."""


def is_template(text: str) -> bool:
    """Whether a text has anything to render."""
    return "{{" in text or "{%" in text or "{#" in text


def syntax_trouble(text: str) -> str:
    """Return what is wrong with a template; empty where it can be one."""
    try:
        _ENVIRONMENT.from_string(text)
    except jinja2.TemplateError as error:
        return error.message or "cannot be read"
    return ""


def names_in(text: str) -> set[str]:
    """Return the variables a template mentions."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except jinja2.TemplateSyntaxError:
        return set()
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}


def rendered(text: str, names: Any, style: Style, raw: Callable[[str], Any]) -> Any:
    """Render a text; `names` is a lazy mapping, `raw` gives a variable as it is written.

    A template that is one expression gives its value in the native style. Raises `InvalidInput`.
    """
    single = _SINGLE.fullmatch(text)
    if single and style is Style.TEXT:
        written = raw(single[1])
        if isinstance(written, bool | int | float):
            return written
    try:
        with rendering():
            return _made(_compiled(text), names, style)
    except ChangeoverError:
        raise
    except jinja2.TemplateError as error:
        raise InvalidInput(f"cannot be rendered: {error.message}", _remedy(error)) from None
    except Exception as error:
        why = str(error) or "it needs more memory than there is"
        raise InvalidInput(f"cannot be rendered: {why}", "correct the template") from error


def _made(template: jinja2.Template, names: Any, style: Style) -> Any:
    made = list(template.root_render_func(template.new_context(names, shared=True)))
    for node in made:
        if isinstance(node, jinja2.Undefined):
            str(node)
    return _native(made) if style is Style.NATIVE else _as_text(made)


def _remedy(error: jinja2.TemplateError) -> str:
    if isinstance(error, SecurityError):
        return "write less, or give the value itself"
    if "No filter named" in str(error) or "No test named" in str(error):
        return "say it with another filter, or give the value itself in changeover.yaml"
    return "correct the template"


@lru_cache(maxsize=4096)
def _compiled(text: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(text)


def _native(made: list[Any]) -> Any:
    if len(made) == 1:
        return _unrolled(made[0])
    return _joined("" if node is None else str(node) for node in made)


def _unrolled(value: Any) -> Any:
    if isinstance(value, Mapping | list | str) or not hasattr(value, "__iter__"):
        return value
    return list(ticked(value))


def _as_text(made: list[Any]) -> Any:
    if len(made) == 1 and isinstance(made[0], Omit | TextForGood):
        return made[0]
    text = _joined("" if node is None else str(_unrolled(node)) for node in made)
    if text.startswith(("{", "[")) or text in ("True", "False"):
        try:
            return ast.literal_eval(_python(ast.parse(text, mode="eval")))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
    return text


class _Json(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Read JSON's words as Python's."""
        words = {"true": True, "false": False, "null": None}
        return ast.Constant(words[node.id]) if node.id in words else node


def _python(tree: ast.Expression) -> Any:
    return ast.fix_missing_locations(_Json().visit(tree))


def _joined(texts: Iterable[str]) -> str:
    made = list(texts)
    refuse_long(sum(map(len, made)))
    return "".join(made)
