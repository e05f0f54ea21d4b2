"""Parameters as an action gets them: templates rendered with the values of one host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from changeover.errors import InvalidInput, InvalidRelease
from changeover.model.instance import HostSpec, Instance
from changeover.model.release import Release, Step
from changeover.sources.bundle import bundle_bytes, bundle_text, bundle_words, is_rendered
from changeover.sources.configs import MERGE, configured
from changeover.sources.template import is_template, rendered, rendered_file

DEEPEST = 20
"""Values that refer to values that refer to values."""


class Values(Mapping[str, Any]):
    """Named values; with a scope they may be templates, each rendered when it is asked for."""

    def __init__(
        self,
        path: str,
        written: Mapping[str, Any],
        scope: Scope | None = None,
        asked: set[str] | None = None,
    ) -> None:
        self._path, self._written, self._scope = path, written, scope
        self._asked = set() if asked is None else asked

    def __getitem__(self, name: str) -> Any:
        value = self._written[name]
        self._asked.add(name)
        return self._scope.rendered(value, f"{self._path}.{name}") if self._scope else value

    def __contains__(self, name: object) -> bool:
        # Asking whether a secret is there must not resolve it.
        return name in self._written

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def __repr__(self) -> str:
        return f"{self._path}({', '.join(self._written)})"

    def with_value(self, name: str, value: Any) -> Values:
        """Return the same values and one more."""
        return Values(self._path, {**self._written, name: value}, self._scope, self._asked)

    def noting(self, asked: set[str]) -> Values:
        """Return the same values; the name of each that is read goes to `asked`."""
        return Values(self._path, self._written, self._scope, asked)


class Over(Mapping[str, Any]):
    """Values over others, none of them looked at before it is asked for."""

    def __init__(self, upper: Mapping[str, Any], lower: Mapping[str, Any]) -> None:
        self._upper, self._lower = upper, lower

    def __getitem__(self, name: str) -> Any:
        return self._upper[name] if name in self._upper else self._lower[name]

    def __contains__(self, name: object) -> bool:
        return name in self._upper or name in self._lower

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._lower, *self._upper)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass
class Scope:
    """The names templates can say on one host, as `changeover.sources.scope` lists them.

    Used by one thread at a time.
    """

    names: dict[str, Any]
    _open: list[str] = field(default_factory=list)

    def rendered(self, value: Any, path: str = "") -> Any:
        """Render all strings inside a value; `path` names it in errors and finds circles."""
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, Mapping):
            return {str(k): self.rendered(v, _below(path, k)) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.rendered(v, f"{path}[{i}]") for i, v in enumerate(value)]
        return value

    def file(self, text: str, name: str, release: Release) -> str:
        """Render a file of the release."""
        return rendered_file(text, self.names, name, lambda n: bundle_text(release.folder, n))

    def with_params(self, params: Sequence[Mapping[str, Any]]) -> Scope:
        """Return the scope inside procedures, outermost first."""
        scope = self
        for given in params:
            inner = Scope(dict(self.names))
            inner.names["params"] = Values("params", given, scope)
            scope = inner
        return scope

    def _text(self, text: str, path: str) -> Any:
        if not is_template(text):
            return text
        if path in self._open or len(self._open) > DEEPEST:
            way = " -> ".join((*self._open, path))
            raise InvalidInput(f"values refer to each other for ever: {way}", "cut the circle")
        self._open.append(path)
        try:
            return rendered(text, self.names, path)
        finally:
            self._open.pop()


def scope_for(
    instance: Instance,
    host: HostSpec | None = None,
    *,
    release: Release | None = None,
    inputs: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    installed: str = "",
) -> Scope:
    """Return what templates see on a host of an instance (on none: where no host is meant)."""
    scope = Scope({})
    answers = {**_defaults(release), **instance.inputs, **(inputs or {})}
    own = host.vars if host else {}
    scope.names.update(
        vars=Values("vars", Over(own, instance.vars), scope),
        inputs=Values("inputs", answers, scope),
        secrets=Values("secrets", secrets or {}),
        databases=Values("databases", instance.databases, scope),
        registries=Values("registries", instance.registries, scope),
        params=Values("params", {}),
        host=Values("host", _host_names(host, scope)),
        hosts=Values("hosts", _by_role(instance)),
        instance=Values("instance", _instance_names(instance)),
        release=Values("release", _release_names(release)),
        installed=installed,
    )
    return scope


def rendered_params(step: Step, scope: Scope, release: Release) -> dict[str, Any]:
    """Return a step's parameters, rendered; `template: F` and `source: F` become `content`.

    Those of a configuration file the step names by `config` are among them. Raises `InvalidInput`
    that names the step, its place and what is not defined.
    """
    inside = scope.with_params(step.params)
    where = f"{step.where}: " if str(step.where) else ""
    try:
        if step.use == MERGE:
            return merge_params(step.with_, inside, release)
        params = inside.rendered(step.with_, "")
        if not isinstance(params, dict):
            return {}
        return _with_content(params, bundle_words(step.use), inside, release)
    except InvalidInput as error:
        raise InvalidInput(f"{where}step {step.id}: {error.message}", error.remedy) from error


def _with_content(
    params: dict[str, Any], words: tuple[str, ...], scope: Scope, release: Release
) -> dict[str, Any]:
    named = [word for word in (*words, "content") if word in params]
    if not named or named == ["content"]:
        return params
    if len(named) > 1:
        raise InvalidRelease(f"{' and '.join(named)} exclude each other", "keep one of them")
    (word,) = named
    name = str(params.pop(word))
    text = bundle_text(release.folder, name)
    params["content"] = scope.file(text, name, release) if word == "template" else text
    return params


def merge_params(written: Mapping[str, Any], scope: Scope, release: Release) -> dict[str, Any]:
    """Return the parameters of a merging step; `reference: F` and `base: F` become contents."""
    here = scope.names["instance"]
    told = configured(written, release.configs, here["method"], here["language"])
    params = scope.rendered(told)
    if "renamed" in told:
        names = ((scope.rendered(old), new) for old, new in params["renamed"].items())
        params["renamed"] = {old: new for old, new in names if old != new}
    for word, becomes in (("base", "base"), ("reference", "content")):
        if params.get(word):
            params[becomes] = reference_of(str(params.pop(word)), scope, release)
    return dict(params)


def reference_of(name: str, scope: Scope, release: Release) -> str | bytes:
    """Return a reference of a release, rendered where it is a template."""
    if is_rendered("reference", name):
        return scope.file(bundle_text(release.folder, name), name, release)
    return bundle_bytes(release.folder, name)


def _below(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _defaults(release: Release | None) -> dict[str, Any]:
    inputs = release.inputs if release else ()
    return {i.name: i.default for i in inputs if i.default is not None or not i.required}


def _by_role(instance: Instance) -> dict[str, list[str]]:
    roles = dict.fromkeys(role for host in instance.hosts.values() for role in host.roles)
    named = {role: [h.name for h in instance.hosts.values() if role in h.roles] for role in roles}
    return {"all": list(instance.hosts), **named}


def _host_names(host: HostSpec | None, scope: Scope) -> dict[str, Any]:
    if host is None:
        return {}
    return {
        "name": host.name,
        "address": host.address or host.name,
        "roles": list(host.roles),
        "vars": Values("host.vars", host.vars, scope),
    }


def _instance_names(instance: Instance) -> dict[str, Any]:
    return {
        "name": instance.name,
        "folder": str(instance.folder),
        "edition": instance.edition,
        "method": instance.method,
        "modules": dict(instance.modules),
        "features": list(instance.features),
        "language": instance.language,
        "vault_passwords": list(instance.vault_passwords),
    }


def _release_names(release: Release | None) -> dict[str, Any]:
    if release is None:
        return {}
    return {
        "product": release.product,
        "version": release.version,
        "folder": str(release.folder),
    }
