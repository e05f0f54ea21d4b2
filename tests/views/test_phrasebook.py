"""The reader's language: sentences with gaps, and what has none stays English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.model.diagnosis import Diagnosis, Examined, Fault, Told
from changeover.views.diagnosis import diagnosis_lines
from changeover.views.phrasebook import BOOKS, Phrasebook, phrases, said, speak


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    speak("en")


@pytest.mark.parametrize("file", BOOKS.values(), ids=list(BOOKS))
def test_a_translation_fills_the_gaps_of_its_sentence_and_no_others(file: Path) -> None:
    for english, own in phrases(file).items():
        gaps, filled = (re.findall(r"\{(\w+)\}", text) for text in (english, own))
        assert len(set(gaps)) == len(gaps), english
        assert set(filled) == set(gaps), english


def test_the_phrase_with_most_words_of_its_own_is_taken() -> None:
    book = Phrasebook(
        {"start {name}": "a {name}", "start {name}, then {other}": "b {other} {name}"}
    )

    assert book.own("start x, then y") == "b y x"
    assert book.own("start x") == "a x"
    assert book.own("begin x") is None


def test_a_phrase_with_few_words_of_its_own_takes_single_words() -> None:
    book = Phrasebook({"{unit} is {state}": "{unit} : {state}", "write {path}": "écrire {path}"})

    assert book.own("nginx.service is active") == "nginx.service : active"
    assert book.own("11004 is not a siret of 14 digits") is None
    assert book.own("write a UUID: `make id` gives one") is None


def test_a_gap_may_be_a_phrase_or_a_name() -> None:
    book = Phrasebook({"in {place}": "dans {place}", "it is {_what}": "c'est {_what}", "no": "non"})

    assert book.own("it is no") == "c'est non"
    assert book.own("in no") == "dans no"
    assert book.own("it is so") == "c'est so"


def test_a_language_is_spoken_until_another_one_is() -> None:
    speak("fr_FR")
    assert said("    nginx does not run\nexit 3") == "    nginx ne tourne pas\nexit 3"

    speak("de")
    assert said("nginx does not run") == "nginx does not run"


def test_a_diagnosis_is_told_in_the_language_and_kept_in_english() -> None:
    fault = Fault("nginx-down", "nginx", "nginx does not run", ("nginx.service is failed",),
                  "systemctl start nginx", host="web1")  # fmt: skip
    diagnosis = Diagnosis((Examined("web1", ("nginx",), (), 0.5),), (Told(fault),))
    speak("fr")

    lines = "\n".join(diagnosis_lines(diagnosis))

    assert "1 points regardés en 0.5 s" in lines
    assert "web1: nginx ne tourne pas" in lines
    assert "En panne : 1 cause." in lines
    assert diagnosis.findings[0].fault.what == "nginx does not run"
