from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.engine.condition import Circumstances, holds
from changeover.engine.render import Scope, rendered_params, scope_for
from changeover.errors import ChangeoverError, InvalidInput
from changeover.hosts.command import Completed
from changeover.hosts.fake import FakeTransport, fake_file
from changeover.hosts.host import Host
from changeover.model.instance import HostSpec, Instance
from changeover.model.release import Input, Release, Step, Where

HOST = HostSpec("web1", address="192.0.2.1", roles=("web",), vars={"port": 8080, "zone": "a"})
INSTANCE = Instance(
    name="prod",
    folder=Path("/i"),
    product="shop",
    hosts={"web1": HOST, "db1": HostSpec("db1", roles=("db",))},
    edition="pro",
    method="packages",
    modules={"mail": "2.1"},
    features=("sso",),
    vars={"domain": "x.example", "zone": "b", "items": "mine", "loop_a": "{{ vars.loop_b }}",
          "loop_b": "{{ vars.loop_a }}", "url": "https://{{ vars.domain }}"},
    inputs={"workers": 4},
    databases={"main": {"url": "{{ secrets.url }}"}},
)  # fmt: skip
RELEASE = Release(
    "shop", "2.1", Path("/r"), "d", inputs=(Input("workers"), Input("mode", default="x"))
)


def scope() -> Scope:
    return scope_for(
        INSTANCE, HOST, release=RELEASE, secrets={"url": "pg://s3cret"}, installed="2.0"
    )


RENDERED: dict[str, Any] = {
    "plain": "plain",
    "{{ inputs.workers }}": 4,
    "{{ inputs.workers + 1 }}": 5,
    "n={{ inputs.workers }}": "n=4",
    "{{ inputs.mode }}": "x",
    "{{ vars.zone }}{{ vars.port }}": "a8080",
    "{{ vars.url }}": "https://x.example",
    "{{ vars.items }}": "mine",
    "{{ hosts.web }}": ["web1"],
    "{{ databases.main.url }}": "pg://s3cret",
    "{{ instance.edition }}/{{ release.version }}/{{ installed }}": "pro/2.1/2.0",
    "{{ host.name in hosts.web }}": True,
    "{{ vars.nothing | default(7) }}": 7,
    "{{ vars.nothing is defined }}": False,
    "{{ 'a b' | shell }}": "'a b'",
    "{{ 'a\"b$' | dotenv }}": '"a\\"b\\$"',
    "{{ 'a b/c' | url_quote }}": "a%20b%2Fc",
    "{{ hosts | length }}": 3,
    "{% if inputs.workers > 3 %}many{% endif %}": "many",
}


@pytest.mark.parametrize("template", RENDERED)
def test_a_template_says(template: str) -> None:
    assert scope().rendered(template) == RENDERED[template]


REFUSED = {
    "{{ vars.domian }}": ("nothing defines `vars.domian`", "did you mean `domain`?"),
    "{{ secrets.ulr }}": ("nothing defines `secrets.ulr`", "under `secrets:` in instance.yaml"),
    "{{ inputs.none }}": ("nothing defines `inputs.none`", "under `inputs:` in release.yaml"),
    "{{ secret.url }}": ("nothing defines `secret`", "did you mean `secrets`?"),
    "{{ vars.loop_a }}": ("refer to each other for ever", "cut the circle"),
    "{{ vars.url": ("not a template", "{{ name }}"),
    "{{ 1 / 0 }}": ("division by zero", "correct"),
    "{{ 'a' * 10 ** 9 }}": ("not allowed in a template", "compute"),
    "{{ 9 ** 9 ** 9 }}": ("not allowed in a template", "compute"),
    "{{ range(10 ** 6) | list }}": ("Range too big", "correct"),
    "{{ ''.__class__.__mro__ }}": ("nothing defines", ""),
    "{{ hosts.keys }}": ("names a function", "brackets"),
    "{{ vars | nofilter }}": ("No filter named", ""),
}


@pytest.mark.parametrize("template", REFUSED)
def test_a_template_is_refused_with_a_remedy(template: str) -> None:
    said, remedy = REFUSED[template]

    with pytest.raises(InvalidInput) as refused:
        scope().rendered(template, "path")

    assert said in refused.value.message
    assert remedy in refused.value.remedy
    assert "s3cret" not in refused.value.message


def test_a_secret_is_resolved_only_where_it_is_said() -> None:
    class Locked(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            raise AssertionError(name)

    given = scope_for(INSTANCE, HOST, secrets=Locked(url=""))

    assert given.rendered("{{ 'url' in secrets }}") is True


def test_files_of_the_bundle_become_content(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("w={{ inputs.workers }}\n{% include 'b.j2' %}")
    (tmp_path / "b.j2").write_text("zone={{ vars.zone }}\n")
    release = Release("shop", "2.1", tmp_path, "d")

    rendered = rendered_params(Step("s", "x", {"template": "a.j2"}), scope(), release)
    as_it_is = rendered_params(Step("s", "x", {"source": "b.j2"}), scope(), release)

    assert rendered == {"content": "w=4\nzone=a\n"}
    assert as_it_is == {"content": "zone={{ vars.zone }}\n"}


def test_an_error_in_a_step_names_step_and_place(tmp_path: Path) -> None:
    step = Step("s", "x", {"words": ["a", "{{ vars.gone }}"]}, where=Where("r.yaml", 7, 3))

    with pytest.raises(InvalidInput, match=r"r\.yaml:7:3: step s: words\[1\]: nothing defines"):
        rendered_params(step, scope(), Release("shop", "2.1", tmp_path, "d"))


def test_parameters_of_procedures_see_those_around_them() -> None:
    outer = {"unit": "{{ vars.zone }}.service"}
    step = Step("s", "x", {"u": "{{ params.of }}"}, params=(outer, {"of": "{{ params.unit }}!"}))

    assert rendered_params(step, scope(), RELEASE) == {"u": "a.service!"}


@given(st.text(alphabet="{}%# abv.s'|()[]+*1", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_rendered_or_refused(text: str) -> None:
    try:
        scope().rendered(text)
    except ChangeoverError as error:
        assert error.message  # noqa: PT017 - refusing is one of two good outcomes


# conditions


def circumstances(host: Host | None = None) -> Circumstances:
    return Circumstances(INSTANCE, scope(), "2.0", HOST, host)


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"method": "packages"}, True),
    ({"method": ["compose", "packages"]}, True),
    ({"edition": "community"}, False),
    ({"module": "mail", "feature": ["x", "sso"]}, True),
    ({"modules": {"mail": ">=2"}}, True),
    ({"modules": {"mail": ">=3"}}, False),
    ({"modules": ["mail", "chat"]}, False),
    ({"features": ["sso", "x"]}, False),
    ({"role": ["web", "db"]}, True),
    ({"host": "db1"}, False),
    ({"installed": ">=2,<3"}, True),
    ({"input": {"workers": [3, 4]}}, True),
    ({"input": {"gone": 1}}, False),
    ({"var": {"zone": "a"}}, True),
    ({"any": [{"method": "compose"}, {"role": "web"}]}, True),
    ({"all": [{"method": "compose"}, {"role": "web"}]}, False),
    ({"not": {"method": "compose"}}, True),
    ({"expr": "{{ inputs.workers > 3 }}"}, True),
    ({"expr": "{{ vars.port == 1 }}"}, False),
    ({"expr": "no"}, False),
]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_a_condition_holds(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, circumstances()) is expected


QUERY = "dpkg-query -W -f '${db:Status-Status} ${Version}' shop"

FACTS: list[tuple[dict[str, Any], bool]] = [
    ({"file": {"path": "/etc/{{ vars.zone }}"}}, True),
    ({"file": {"path": "/etc/a", "contains": "on=1"}}, True),
    ({"file": {"path": "/etc/a", "exists": False}}, False),
    ({"file": {"path": "/gone", "exists": False}}, True),
    ({"package": {"name": "shop"}}, True),
    ({"package": {"name": "shop", "version": ">=2.1"}}, False),
    ({"package": {"name": "shop", "installed": False}}, False),
    ({"command": {"words": ["test", "-e", "x"]}}, False),
    ({"command": {"words": ["test", "-e", "x"], "code": 1}}, True),
]


@pytest.mark.parametrize(("condition", "expected"), FACTS)
def test_a_condition_asks_the_host(condition: dict[str, Any], expected: bool) -> None:
    replies = {QUERY: Completed(0, "installed 2.0-1"), "test -e x": Completed(1)}
    fake = FakeTransport(replies, {"/etc/a": fake_file(b"on=1\n")})

    assert holds(condition, circumstances(Host("web1", fake))) is expected


def test_an_unknown_word_and_a_missing_host_are_errors() -> None:
    with pytest.raises(InvalidInput, match="unknown word `metod`"):
        holds({"metod": "x"}, circumstances())
    with pytest.raises(InvalidInput, match="asks a host"):
        holds({"file": {"path": "/x"}}, circumstances())
