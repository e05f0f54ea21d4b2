"""Write the guide of a route for one instance: its steps alone, with its values, without a host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from changeover.engine.condition import Circumstances, left_to_hosts, may_hold
from changeover.engine.images import with_images
from changeover.engine.order import UPGRADE, steps_of
from changeover.engine.render import Scope, rendered_params, scope_for
from changeover.errors import InvalidInput
from changeover.model.guide import Guide, GuideCheck, GuideFile, GuideHop, GuideStep
from changeover.model.instance import HostSpec, Instance
from changeover.model.release import Check, Condition, Release, Step

LONGEST_VALUE = 400
_FILES = ("content", "script")
"""Parameters that are shown as a text of their own."""


@dataclass(frozen=True)
class Reader:
    """Whom a guide is for."""

    instance: Instance
    secrets: Sequence[str]
    """Names of secrets; a guide never holds their values."""
    answers: Mapping[str, Any]
    language: str
    procedure: str = UPGRADE


def guide_for(route: Sequence[Release], installed: str, reader: Reader) -> Guide:
    """Return the guide; steps that cannot concern this instance are left out."""
    hops: list[GuideHop] = []
    before = installed
    for release in route:
        hops.append(_Writer(reader, release, before).hop())
        before = release.version
    target = route[-1].version if route else installed
    answers = {name: _in_words(value) for name, value in reader.answers.items()}
    product, name = reader.instance.product, reader.instance.name
    return Guide(product, name, installed, target, reader.language, tuple(hops), answers)


@dataclass(frozen=True)
class _Writer:
    reader: Reader
    release: Release
    installed: str

    def hop(self) -> GuideHop:
        """Write one release."""
        release, language = self.release, self.reader.language
        own = self.reader.procedure == UPGRADE
        risks = (r for r in release.risks if own and self._may_hold(r.when))
        title = release.title if own else release.procedure_titles[self.reader.procedure]
        return GuideHop(
            release.version,
            title.to(language),
            release.impact if own else "",
            release.notes.to(language) if own else "",
            tuple(r.text.to(language) for r in risks),
            tuple(self._checks()) if own else (),
            tuple(self._steps()),
        )

    def _checks(self) -> Iterator[GuideCheck]:
        for check in self.release.checks:
            hosts = self._concerned(check)
            if hosts:
                as_step = Step(check.id, check.use, check.with_, where=check.where)
                values, _ = self._values(as_step, hosts[0])
                said = check.text.to(self.reader.language) or check.id
                remedy = check.remedy.to(self.reader.language)
                yield GuideCheck(said, check.use, values, remedy)

    def _steps(self) -> Iterator[GuideStep]:
        language = self.reader.language
        added = self.reader.instance.site_steps
        for step in steps_of(self.release, self.reader.procedure, added):
            hosts = self._concerned(step)
            if not hosts:
                continue
            values, files = self._values(step, hosts[0])
            unknown = left_to_hosts(step.when, self._scope(None))
            yield GuideStep(
                step.id, step.title.to(language) or step.id, step.phase, step.use,
                tuple(h.name for h in hosts), values, files, step.note.to(language),
                step.approval.to(language), unknown, step.undo == "none",
            )  # fmt: skip

    def _concerned(self, step: Step | Check) -> list[HostSpec]:
        hosts = self.reader.instance.chosen(step.on.name)
        found = [h for h in hosts if self._may_hold(step.when, h)]
        return found[:1] if step.on.once else found

    def _may_hold(self, condition: Condition, host: HostSpec | None = None) -> bool:
        """Whether a condition holds, as far as it can be known without asking a host."""
        judged = Circumstances(self.reader.instance, self._scope(host), self.installed, host)
        return may_hold(condition, judged)

    def _scope(self, host: HostSpec | None) -> Scope:
        masked = {name: f"<{name}>" for name in self.reader.secrets}
        secret_inputs = {i.name: f"<{i.name}>" for i in self.release.inputs if i.secret}
        scope = scope_for(
            self.reader.instance, host, release=self.release,
            inputs={**self.reader.answers, **secret_inputs}, secrets=masked,
            installed=self.installed,
        )  # fmt: skip
        return with_images(scope, self.reader.instance, self.release, self.installed)

    def _values(self, step: Step, host: HostSpec) -> tuple[dict[str, str], tuple[GuideFile, ...]]:
        scope = self._scope(host)
        try:
            params = rendered_params(step, scope, self.release)
        except InvalidInput:
            inside = scope.with_params(step.params)
            params = {name: _leniently(value, inside) for name, value in step.with_.items()}
        files = [GuideFile(self._file_name(step, params), str(params.pop(word)))
                 for word in _FILES if isinstance(params.get(word), str)]  # fmt: skip
        shown = {name: _in_words(value) for name, value in params.items()}
        return shown, tuple(files)

    def _file_name(self, step: Step, params: Mapping[str, Any]) -> str:
        return str(params.get("path") or step.with_.get("name") or step.id)


def _leniently(value: Any, scope: Scope) -> Any:
    """Render a parameter; what only the run can know stays as it is written."""
    try:
        return scope.rendered(value)
    except InvalidInput:
        return value


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _in_words(value: Any) -> str:
    if isinstance(value, str):
        text = value
    elif isinstance(value, list) and all(isinstance(v, str) for v in value):
        text = " ".join(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=_plain)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
