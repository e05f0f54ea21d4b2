"""Templates that would loop for ever or make more text than a machine holds."""

from __future__ import annotations

import pytest

from changeover.errors import InvalidInput
from changeover.sources.template import rendered

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
