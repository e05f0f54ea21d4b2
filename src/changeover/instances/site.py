"""What instances of both kinds are made from: steps of the operator, places of secrets."""

from __future__ import annotations

from changeover.instances.secrets import Reference
from changeover.instances.written import SecretWritten, SiteStepWritten
from changeover.model.instance import SiteStep
from changeover.model.release import Phase, Where
from changeover.sources.expansion import made_step


def made_site_step(written: SiteStepWritten, where: Where) -> SiteStep:
    """Return a step of the operator; `where` is the place it is written."""
    step = made_step(written.step, where)
    place = "before" if written.before else "after"
    anchor = written.before or written.after
    if not written.step.phase and anchor in [str(p) for p in Phase]:
        step = made_step(written.step.model_copy(update={"phase": anchor}), step.where)
    return SiteStep(step, place, anchor)


def reference_of(name: str, secret: SecretWritten) -> Reference:
    """Return the one place a secret is kept at."""
    kind = next(w for w in ("age", "env", "file", "command") if getattr(secret, w))
    value = getattr(secret, kind)
    words = tuple(value) if kind == "command" else (value,)
    return Reference(kind, words, secret.key or name)
