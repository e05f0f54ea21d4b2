"""Which images an instance needs, and what `images.mirror` is given without being told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from changeover.engine.images import with_images
from changeover.engine.render import scope_for
from changeover.errors import InvalidInput
from changeover.model.instance import Instance
from changeover.model.release import Image, Release
from changeover.sources.oci import sample
from changeover.sources.oci.memory import MemoryRegistry
from tests.engine.world import World
from tests.sources.oci.setting import holds, pushed

IMAGES = (
    Image("web", {"": "v.example/web:1"}),
    Image("core", {"community": "v.example/core:1", "pro": "v.example/core-pro:1"}),
    Image("stats", {"": "v.example/stats:1"}, {"module": ["stats"]}),
)
RELEASE = Release("shop", "2.1", Path("/r"), "d", images=IMAGES)


def needed(instance: Instance) -> dict[str, str]:
    """Return what `release.images` says for an instance."""
    scope = with_images(scope_for(instance, release=RELEASE), instance, RELEASE, "")
    return dict(scope.rendered("{{ release.images }}"))


def instance(edition: str, *modules: str) -> Instance:
    there = dict.fromkeys(modules, "1.0")
    return Instance("prod", Path("/i"), "shop", {}, edition=edition, modules=there)


def test_an_edition_gets_its_own_images_and_those_of_its_modules() -> None:
    assert needed(instance("pro")) == {"web": "v.example/web:1", "core": "v.example/core-pro:1"}
    assert list(needed(instance("community", "stats"))) == ["web", "core", "stats"]
    assert list(needed(instance("trial"))) == ["web"]


def test_a_name_that_is_not_needed_here_is_an_error_that_names_it() -> None:
    scope = with_images(scope_for(instance("pro"), release=RELEASE), instance("pro"), RELEASE, "")

    assert scope.rendered("{{ release.images.web }}") == "v.example/web:1"
    with pytest.raises(InvalidInput, match=r"nothing defines `release\.images\.stats`"):
        scope.rendered("{{ release.images.stats }}")


def test_a_run_mirrors_what_its_instance_needs_with_the_instances_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with MemoryRegistry() as source, MemoryRegistry() as target:
        things = {n: pushed(source, n, "1", sample.image([n.encode()])) for n in ("web", "pro")}
        target.manner.challenge = 'Basic realm="x"'
        target.manner.allowed = lambda header: header == "Basic bWU6Y2FuYXJ5LXMzY3JldA=="
        world = World(tmp_path)
        registries: dict[str, dict[str, object]] = {
            source.host: {"plain_http": True},
            target.host: {"plain_http": True, "user": "me", "password": "{{ secrets.registry }}"},
        }
        described(world, registries)
        refer = {n: f"{source.host}/{n}:1@{thing.digest}" for n, thing in things.items()}
        images = {
            "web": refer["web"],
            "core": {"image": {"pro": refer["pro"], "community": f"{source.host}/gone:1"}},
        }
        step = {"id": "images", "use": "images.mirror", "on": {"host": "one"}, "phase": "prepare"}
        steps = [{**step, "with": {"to": f"{target.host}/in"}}]
        world.release("2.0", steps, images=images, editions=["pro", "community"])

        world.apply(world.plan("2.0"))

        assert all(holds(target, f"in/{n}", "1", thing) for n, thing in things.items())
    kept = b"".join(p.read_bytes() for p in (tmp_path / "prod").rglob("*") if p.is_file())
    assert b"canary-s3cret" not in kept.replace(b"canary-s3cret\n", b"", 1)


def described(world: World, registries: dict[str, dict[str, object]]) -> None:
    """Add registries and an edition to the instance."""
    file = world.instance / "instance.yaml"
    text = yaml.safe_load(file.read_text())
    secrets = {**text.get("secrets", {}), "registry": {"file": "registry.secret"}}
    (world.instance / "registry.secret").write_text("canary-s3cret\n")
    written = {**text, "edition": "pro", "registries": registries, "secrets": secrets}
    file.write_text(yaml.safe_dump(written))
