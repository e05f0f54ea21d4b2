"""Plans as files: bound to their content by a digest, so that nothing in them is edited unseen."""

from __future__ import annotations

from typing import Any

from changeover.errors import PlanStale
from changeover.model.codec import digest_of, from_json, to_json
from changeover.model.plan import Plan

DIGEST = "digest"
"""The key of a saved plan that is not the plan's."""


def saved(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data, with the sha256 of its canonical JSON."""
    body = to_json(plan)
    return {**body, DIGEST: digest_of(body)}


def plan_in(body: Any) -> Plan:
    """Return the plan that was saved; raises `InvalidInput` where it is none."""
    return from_json(Plan, _without_digest(body))


def refuse_edited(body: Any, where: str) -> None:
    """Raise `PlanStale` where a saved plan is not what was shown when it was made."""
    if not isinstance(body, dict) or digest_of(_without_digest(body)) != body.get(DIGEST):
        why = "has no digest" if DIGEST not in body else "was edited since it was made"
        raise PlanStale(
            f"{where}: {why}: what it says is not what changeover planned and showed",
            "make it anew: changeover plan --out FILE; leave steps out with --only",
        )


def _without_digest(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name != DIGEST}
