"""The guide of a route for one instance, as a page in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, groupby

from changeover.model.guide import Guide, GuideCheck, GuideHop, GuideStep
from changeover.model.release import Phase
from changeover.views.block import Block, html_page, markdown_blocks, markdown_lines, terminal_lines

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "from": "from", "nothing": "nothing installed", "answers": "With these answers",
        "impact": "Service", "none": "keeps running", "degraded": "is degraded for a while",
        "full-stop": "stops", "notes": "Release notes", "risks": "Risks", "checks": "Before",
        "on": "on", "only if": "Only if", "ask": "Somebody must agree first",
        "final": "There is no way back from here.", "remedy": "otherwise",
        "already": "There is nothing to do.",
        "prepare": "Prepare: the service keeps running", "stop": "Stop",
        "change": "Change", "start": "Start", "verify": "Verify", "settle": "Afterwards",
    },
    "fr": {
        "from": "depuis", "nothing": "rien d'installé", "answers": "Avec ces réponses",
        "impact": "Service", "none": "reste en marche", "degraded": "est dégradé un moment",
        "full-stop": "est arrêté", "notes": "Notes de version", "risks": "Risques",
        "checks": "Avant de commencer", "on": "sur", "only if": "Seulement si",
        "ask": "Quelqu'un doit d'abord donner son accord",
        "final": "Au-delà, pas de retour en arrière.", "remedy": "sinon",
        "already": "Il n'y a rien à faire.",
        "prepare": "Préparer : le service reste en marche", "stop": "Arrêter",
        "change": "Changer", "start": "Démarrer", "verify": "Vérifier", "settle": "Ensuite",
    },
}  # fmt: skip
"""The page's own words; a language that is missing reads English."""


def guide_text(guide: Guide, form: str) -> str:
    """Render a guide as `text`, `markdown` or `html`."""
    blocks = guide_blocks(guide)
    if form == "html":
        return html_page(blocks, _title(guide), guide.language)
    lines = markdown_lines(blocks) if form == "markdown" else terminal_lines(blocks)
    return "\n".join(lines).strip("\n")


def guide_blocks(guide: Guide) -> Iterator[Block]:
    """Return a guide as blocks."""
    words = _words(guide)
    yield Block("h1", _title(guide))
    yield Block("p", f"{words['from']} {guide.installed or words['nothing']}")
    if guide.answers:
        said = ", ".join(f"`{name}` = `{value}`" for name, value in guide.answers.items())
        yield Block("p", f"{words['answers']}: {said}")
    if not guide.hops:
        yield Block("p", words["already"])
    numbers = count(1)
    for hop in guide.hops:
        yield from _hop(hop, words, numbers)


def _title(guide: Guide) -> str:
    return f"{guide.product} {guide.target} · {guide.instance}"


def _words(guide: Guide) -> Mapping[str, str]:
    return _WORDS.get(guide.language[:2], _WORDS["en"])


def _hop(hop: GuideHop, words: Mapping[str, str], numbers: Iterator[int]) -> Iterator[Block]:
    yield Block("h2", f"{hop.version}: {hop.title}" if hop.title else hop.version)
    if hop.impact:
        yield Block("p", f"{words['impact']}: {words[hop.impact]}.")
    for risk in hop.risks:
        yield Block("warn", risk)
    if hop.notes:
        yield Block("h3", words["notes"])
        yield from markdown_blocks(hop.notes, level=3)
    if hop.checks:
        yield Block("h3", words["checks"])
        for check in hop.checks:
            yield _check(check, words)
    for phase, steps in groupby(hop.steps, key=lambda step: step.phase):
        yield Block("h3", words[Phase(phase).value])
        for step in steps:
            yield from _step(step, words, next(numbers))


def _check(check: GuideCheck, words: Mapping[str, str]) -> Block:
    remedy = f"; {words['remedy']}: {check.remedy}" if check.remedy else ""
    return Block("li", f"{check.title} (`{_call(check.use, check.values)}`){remedy}")


def _step(step: GuideStep, words: Mapping[str, str], number: int) -> Iterator[Block]:
    yield Block("h4", f"{number}. {step.title} ({words['on']} {', '.join(step.hosts)})")
    if step.final:
        yield Block("warn", words["final"])
    if step.question:
        yield Block("warn", f"{words['ask']}: {step.question}")
    if step.only_if:
        yield Block("p", f"{words['only if']} `{step.only_if}`")
    if step.note:
        yield Block("note", step.note)
    yield Block("p", f"`{step.use}`")
    for name, value in step.values.items():
        yield Block("li", f"{name}: `{value}`")
    for file in step.files:
        yield Block("p", f"`{file.name}`:")
        yield Block("code", file.content)


def _call(use: str, values: Mapping[str, str]) -> str:
    return " ".join([use, *(f"{name}={value}" for name, value in values.items())])
