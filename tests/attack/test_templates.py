"""Templates that would loop for ever or make more text than a machine holds."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import indent

import pytest

from changeover.errors import ChangeoverError, InvalidInput
from changeover.instances.ansible import jinja
from changeover.instances.ansible.environment import Environment
from changeover.instances.ansible.jinja import Style
from changeover.sources import bounds
from changeover.sources.template import rendered
from tests.instances.ansible.project import make_project

LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "text",
    [
        LOOPS,
        "{% macro f() %}" + LOOPS + "{% endmacro %}{{ f() }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ '%0*d'|format(999999999, 1) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a'|center(9999999999) }}",
        "{{ 'a' * 9999999999 }}",
    ],
)
def test_a_template_that_asks_for_too_much_is_refused_at_once(text: str) -> None:
    with pytest.raises(InvalidInput, match="not allowed in a template"):
        rendered(text, {})


def test_what_releases_format_and_count_still_renders() -> None:
    text = "{{ '%05.1f|%s' | format(2, 'a') }} {{ '%d%%' % 7 }} {{ 'a' | center(3) }} {{ 7 % 4 }}"

    assert (
        rendered(text + "{% for i in range(3) %}{{ i }}{% endfor %}", {}) == "002.0|a 7%  a  3012"
    )


GROWING = "{% set ns = namespace(x=%s) %}{% for i in range(60) %}{% set ns.x = %s %}{% endfor %}"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


def variable(ansible: Path, name: str) -> object:
    return Environment(ansible / "environments/prod").first[name]


def render(text: str, style: Style | str) -> object:
    if isinstance(style, Style):
        return jinja.rendered(text, jinja.GLOBALS, style, lambda _: None)
    return rendered(text, {})


def growing(first: str, then: str) -> str:
    return GROWING.replace("%s", first, 1).replace("%s", then, 1)


@pytest.mark.parametrize("style", ["release", *Style])
@pytest.mark.parametrize(
    "text",
    [
        growing("'x'", "ns.x ~ ns.x"),
        growing("'x'", "ns.x + ns.x"),
        growing("[1]", "ns.x + ns.x"),
        growing("[1]", "[ns.x, ns.x]") + "{{ ns.x }}",
        growing("[1]", "[ns.x, ns.x]") + "{{ ns.x }} more",
        growing("[1]", "[ns.x, ns.x]") + "{{ ns.x | string | length }}",
        growing("{}", "{'a': ns.x, 'b': ns.x}") + "{{ ns.x.values() }} more",
        growing("3", "ns.x * ns.x"),
        "{% set l = range(9999) | list %}{% for a in l %}{% for b in l %}{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'x' * 10**10 }}",
        "{{ range(10**12) | list }}",
        "{{ 'a'.ljust(10**10) }}",
        "{{ (1).to_bytes(10**10, 'big') }}",
        "{{ '{:10000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 10**10) }}",
        "{{ ('{0}' * 10**6).format('x' * 8000000) }}",
        "{{ ('%s' * 10**6) % (['x' * 8000000] * 10**6) }}",
        "{{ ('x' * 8000000) | replace('x', 'y' * 8000000) }}",
        "{{ ('x' * 8000000).replace('', 'y' * 8000000) }}",
        "{{ (['x'] * 10**6) | join('y' * 8000000) }}",
        "{{ ('y' * 8000000).join(['x'] * 10**6) }}",
        "{{ ('x' * 8000000).translate({120: 'y' * 8000000}) }}",
        "{{ ('x' * 8000000) | regex_replace('x', 'y' * 10**6) }}",
        "{{ [1] | batch(10**10, 0) | list }}",
        "{{ range(99999) | map('string') | map('center', 99999) | list }}",
        "{{ lipsum(n=10**7) }}",
    ],
)
def test_nothing_a_template_does_uses_the_machine_up(text: str, style: Style | str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        render(text, style)

    assert time.process_time() - began < 3
    assert refused.value.message.rstrip()[-1:] not in (":", "")
    assert "memory" not in refused.value.message


def test_a_macro_that_calls_itself_twice_ends_after_seconds_of_computing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "LONGEST", 0.2)
    text = "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(50) }}"

    with pytest.raises(InvalidInput, match="computes for more than"):
        rendered(text, {})


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a {k: v}\n" + "".join(
            f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 9)}]}}\n"
            for before, name in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "bomb: '{{ text | from_yaml }}'\ntext: |\n" + indent(BOMB, "  "),
        "loop: &l [*l]\n",
    ],
)  # fmt: skip
def test_aliases_that_unfold_without_end_are_refused_with_the_file(
    text: str, tmp_path: Path
) -> None:
    ansible = make_project(tmp_path)
    file = ansible / "environments/prod/group_vars/web.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(file.read_text() + text if file.exists() else text)
    began = time.process_time()

    with pytest.raises(ChangeoverError, match=r"unfold to more") as refused:
        variable(ansible, "bomb")

    assert time.process_time() - began < 5
    assert "web.yml" in refused.value.message


def test_an_ansible_variable_that_asks_for_too_much_is_named_with_its_file(tmp_path: Path) -> None:
    ansible = make_project(tmp_path)
    file = ansible / "environments/prod/group_vars/web.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "bomb: \"{{ 'x' * 10**10 }}\"\n")

    with pytest.raises(ChangeoverError, match=r"web\.yml:\d+:1: bomb: .*text that long"):
        variable(ansible, "bomb")
