from __future__ import annotations

from pathlib import Path

import pytest

from changeover.engine.guide import Reader, guide_for
from changeover.instances.folder import open_instance
from changeover.model.guide import Guide
from changeover.sources.folder import load_release
from changeover.views.guide import guide_text
from tests.sources.samples import minimal, release_folder

INSTANCE = """\
format: 1
name: prod
product: shop
method: packages
hosts:
  web1: {transport: local, roles: [web]}
  db1: {transport: local, roles: [db]}
vars: {domain: shop.example}
secrets: {token: {env: NOT_SET_ANYWHERE}}
"""

STEPS = """[
  {id: compose, use: command.run, when: {method: compose}, with: {words: [x]}},
  {id: conf, use: files.write, on: web, title: {en: Write it, fr: Écrire},
   note: {en: Why so}, approval: {en: Sure?}, undo: none,
   with: {path: "/etc/{{ vars.domain }}", template: files/shop.conf.j2}},
  {id: maybe, use: command.run, when: {file: {path: /etc/old}, role: db},
   with: {words: [login, "{{ secrets.token }}", "<b>"]}},
  {id: later, use: command.run, on: db, with: {words: ["{{ vars.unknown }}"]}}]
inputs: {workers: {type: int, default: 2}}
title: {en: New, fr: Nouveau}
notes: notes.md
impact: full-stop
"""


@pytest.fixture
def reading(tmp_path: Path) -> Path:
    (tmp_path / "instance.yaml").write_text(INSTANCE)
    release_folder(tmp_path / "release", minimal(steps=STEPS))
    return tmp_path


def guide_in(folder: Path, language: str = "en") -> Guide:
    instance, secrets = open_instance(folder)
    reader = Reader(instance, tuple(secrets), {"workers": 2}, language)
    return guide_for([load_release(folder / "release")], "0.9", reader)


def test_a_guide_has_only_the_steps_that_can_concern_the_instance(reading: Path) -> None:
    (hop,) = guide_in(reading).hops

    assert [(s.id, s.hosts) for s in hop.steps] == [
        ("conf", ("web1",)), ("maybe", ("db1",)), ("later", ("db1",)),
    ]  # fmt: skip
    assert hop.steps[1].only_if == '{"file": {"path": "/etc/old"}}'


def test_a_guide_holds_values_and_files_but_no_secret(reading: Path) -> None:
    conf, maybe, later = guide_in(reading).hops[0].steps

    assert conf.values == {"path": "/etc/shop.example"}
    assert conf.files[0].content == "workers=2\n"
    assert maybe.values == {"words": "login <token> <b>"}
    assert later.values == {"words": '["{{ vars.unknown }}"]'} or "unknown" in later.values["words"]


def test_a_guide_is_in_the_readers_language(reading: Path) -> None:
    text = guide_text(guide_in(reading, "fr"), "markdown")

    assert "#### 1. Écrire (sur web1)" in text
    assert "## 1.0: Nouveau" in text
    assert "pas de retour en arrière" in text
    assert "Why so" in text


def test_a_guide_in_html_escapes_what_it_shows(reading: Path) -> None:
    page = guide_text(guide_in(reading), "html")

    assert "&lt;token&gt; &lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("<ul>") == page.count("</ul>")
    assert '<html lang="en">' in page


def test_a_guide_for_a_terminal_names_every_step_once(reading: Path) -> None:
    text = guide_text(guide_in(reading), "text")

    assert [text.count(f"{n}. ") for n in (1, 2, 3)] == [1, 1, 1]
    assert "! Somebody must agree first: Sure?" in text


def test_where_nothing_is_to_do_a_guide_says_so(reading: Path) -> None:
    instance, _ = open_instance(reading)

    text = guide_text(guide_for([], "1.0", Reader(instance, (), {}, "en")), "text")

    assert "There is nothing to do." in text
