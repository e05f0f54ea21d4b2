"""What every kind of fault looks like in a host's answers: cases as data, one runner.

A case names the parts, the answers to questions (`out`, `err`, `code`; what is not named was asked
in vain), and the faults that must be found, in the order in which they must be told.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from changeover.diagnoses.anatomy import Address, Body, Clock, part
from changeover.diagnoses.asked import Replies
from changeover.diagnoses.listed import KINDS
from changeover.hosts.command import Completed
from changeover.model.diagnosis import in_order
from changeover.views.phrasebook import BOOKS, Phrasebook, phrases
from tests.diagnoses.breakages import BREAKAGES

CASES = Path(__file__).parent / "cases"
SOURCE = Path(__file__).parents[2] / "src/changeover/diagnoses"
NOW = 1_800_000_000.0
COMMANDS = re.compile(r"(apt-get|changeover|nginx|supervisorctl|supervisord|systemctl) [-a-z]")
in_french = Phrasebook(phrases(BOOKS["fr"])).own


def body_of(case: dict[str, Any]) -> Body:
    given = dict(case.get("parts", {}))
    addresses = tuple(
        Address(**{**each, "resolved": tuple(each.get("resolved", ()))})
        for each in given.pop("addresses", ())
    )
    parts = {kind: tuple(part(kind, each) for each in found) for kind, found in given.items()}
    return Body("web1", **parts, addresses=addresses, clock=Clock(NOW))


@pytest.mark.parametrize("file", sorted(CASES.glob("*.toml")), ids=lambda file: file.stem)
def test_answers_mean_what_the_case_tells(file: Path) -> None:
    case = tomllib.loads(file.read_text())
    body = body_of(case)
    replies = Replies(
        {
            name: Completed(said.get("code", 0), said.get("out", ""), said.get("err", ""))
            for name, said in case["answers"].items()
        }
    )

    faults = [fault for kind in KINDS for fault in kind.faults(body, replies)]

    told = [(t.depth, t.fault) for t in in_order(faults)]
    assert [(d, f.kind) for d, f in told] == [
        (w.get("depth", 0), w["kind"]) for w in case["faults"]
    ]
    for (_, fault), wanted in zip(told, case["faults"], strict=True):
        assert re.search(wanted.get("says", ""), "\n".join((fault.what, *fault.evidence)))
        assert bool(fault.mending) == wanted.get("mends", False), fault
        assert wanted.get("remedy", "") in fault.remedy
        assert fault.remedy
        assert in_french(fault.what), fault.what
        assert in_french(fault.remedy) or COMMANDS.match(fault.remedy), fault.remedy


def test_questions_have_one_meaning_each() -> None:
    body = body_of(tomllib.loads((CASES / "everything_is_well.toml").read_text()))
    asked: dict[str, str] = {}

    for kind in KINDS:
        for name, question in kind.asks(body).items():
            assert asked.setdefault(name, str(question)) == str(question), name


def test_every_kind_of_fault_has_a_case_or_is_broken_for_real() -> None:
    source = "".join(file.read_text() for file in SOURCE.glob("*.py"))
    named = set(re.findall(r'Fault\(\s*"([a-z-]+)"', source))
    named |= set(re.findall(r'\b(?:kind(?:, remedy)?|STARTING) = "([a-z-]+)"', source))
    cases = [tomllib.loads(file.read_text()) for file in CASES.glob("*.toml")]

    shown = {fault["kind"] for case in cases for fault in case["faults"]}

    assert named - shown - {each.kind for each in BREAKAGES} == set()
