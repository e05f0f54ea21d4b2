"""Several hops: where the next one begins, and the way back, each thing refreshed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from changeover.actions.base import Action
from changeover.engine.flow import Flow
from changeover.engine.session import Session
from changeover.errors import (
    ActionFailed,
    GateClosed,
)
from changeover.hosts.host import Host
from changeover.model.plan import Change, Effect, PlannedStep
from tests.engine.world import World, effect, write

PORTS = {"1.0": "8000", "1.1": "8000", "1.2": "9000"}


@dataclass(frozen=True)
class Restart(Action):
    """Restarts a service, and sees it listen where its release said."""

    name: ClassVar[str] = "restart"
    refreshes: ClassVar[bool] = True
    world: World
    port: str

    def plan(self, host: Host) -> Change:
        return Change(Effect.RUN, "restart")

    def apply(self, host: Host, change: Change) -> None:
        with self.world.log.open("a") as log:
            log.write(f"restart for {self.port}\n")

    def verify(self, host: Host, change: Change) -> None:
        listening = (self.world.root / "one/port").read_text()
        if listening != self.port:
            raise ActionFailed(f"listens on {listening}, not on {self.port}")


@pytest.fixture
def moving(world: World) -> World:
    """A platform at 1.0, whose release 1.2 moves the port."""
    world.release("1.0", [write("port", PORTS["1.0"], on="one")])
    world.apply()
    world.release("1.1", restarted("1.1"), **{"from": ">=1.0,<1.1"})
    world.release("1.2", restarted("1.2"), **{"from": ">=1.1,<1.2"})
    return world


def restarted(version: str, service: str = "shop") -> list[dict[str, object]]:
    restart = effect("restart", f"true {service}", on="one", phase="start")
    return [write("port", PORTS[version], on="one"), restart]


def restarting(world: World, session: Session) -> Callable[[PlannedStep, Host], Action]:
    def action(step: PlannedStep, host: Host) -> Action:
        if step.step.id == "restart":
            return Restart(world=world, port=PORTS[step.release])
        return session.action(step, host)

    return action


def there_and_back(world: World) -> list[str]:
    """Go to 1.2 over 1.1 and back; return what was restarted on the way back."""
    session = world.session()
    flow = Flow(session, "r2", world.operator)
    flow.crew = replace(flow.crew, action=restarting(world, session))
    try:
        flow.begin(session.plan(world.request(session, "1.2")))
        there = world.effects()
        flow.go_back("tested")
    finally:
        session.close()
    return world.effects()[len(there) :]


def test_what_every_hop_restarts_is_restarted_once_as_the_first_hop_did(moving: World) -> None:
    back = there_and_back(moving)

    assert (moving.root / "one/port").read_text() == PORTS["1.0"]
    assert back == ["restart for 8000"]


def test_what_hops_restart_otherwise_is_restarted_for_each(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PORTS, "1.2", "8000")
    moving.release("1.2", restarted("1.2", service="another"), **{"from": ">=1.1,<1.2"})

    assert there_and_back(moving) == ["restart for 8000", "restart for 8000"]


def test_a_check_that_holds_thanks_to_an_earlier_hop_is_not_asked_after_the_undo(
    moving: World,
) -> None:
    looks = {"what": "the file of 1.1", "words": ["test", "-e", f"{moving.root}/one/new"]}
    check = {"id": "there", "use": "wait.command", "on": "one", "phase": "verify", "with": looks}
    moving.release("1.1", [write("new", on="one")], **{"from": ">=1.0,<1.1"})
    moving.release("1.2", [write("newer", on="one"), check], **{"from": ">=1.1,<1.2"})
    moving.apply(moving.plan("1.2"), run="r2")

    moving.undo("r2")

    assert sorted(p.name for p in (moving.root / "one").iterdir()) == ["port"]


def test_a_colleagues_edit_before_the_boundary_of_a_later_hop_stops_there(world: World) -> None:
    world.release("1.0", [effect("zero")])
    world.apply()
    edit = effect("one-one", f"echo edited > {world.root}/one/app.conf", on="one")
    world.release("1.1", [edit], **{"from": ">=1.0,<1.1"})
    (world.root / "one/app.conf").write_text("as planned\n")
    world.release("1.2", [write("app.conf", on="one")], **{"from": ">=1.1,<1.2"})

    with pytest.raises(GateClosed, match="boundary"):
        world.apply(world.plan(), run="r2")

    assert (world.root / "one/app.conf").read_text() == "edited\n"
