"""Examine the hosts of an instance, as its release describes them; mend what is safe to mend."""

from __future__ import annotations

import json
import re
import secrets
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from changeover.actions.builtin import build
from changeover.diagnoses.anatomy import Address, Body, Database, Disk, part
from changeover.diagnoses.examination import examine
from changeover.diagnoses.listed import KINDS
from changeover.diagnoses.port import STARTING, YOUNG
from changeover.engine.lock import InstanceLock, holder_here
from changeover.engine.presumed import presumed
from changeover.engine.prober import unanswered
from changeover.engine.render import Scope
from changeover.engine.session import Session
from changeover.errors import ChangeoverError, InvalidInput, InvalidRelease, Unreachable
from changeover.hosts.host import Host
from changeover.model.diagnosis import Diagnosis, Examined, Fault, Organ, in_order
from changeover.model.instance import Endpoint
from changeover.sources.doctor import Described, read_doctor
from changeover.tools import psql

HOSTS_AT_ONCE = 32
PAUSE = 0.5
"""Seconds between two looks at a program that is coming up."""
LOG = "doctor.jsonl"
"""In the instance's journal folder: what was mended, by whom, and how it went."""
UNTIED = ("endpoint ", "name ")
"""What is wrong with these may have its cause on any host."""


def consult(session: Session) -> Diagnosis:
    """Examine every host of the instance, all at the same time; change nothing."""
    release = session.release(session.target(None))
    described = read_doctor(release.folder)
    if not described.organs:
        described = presumed(release)
    session.binder.answering({}, "")
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        asked = [pool.submit(_address, session, one) for one in session.instance.endpoints]
        bodies = list(pool.map(lambda h: _body(session, described, h), session.hosts.values()))
        addresses = tuple(answer.result() for answer in asked)
        bodies = _with_addresses(bodies, addresses)
        seen = list(pool.map(lambda b: _examined(session, b), bodies))
    faults = [fault for _, found in seen for fault in found if not _passing(session, fault)]
    ranked = sorted(faults, key=lambda fault: fault.thing.startswith(UNTIED))
    hide = session.masker.tree
    clean = [replace(f, what=hide(f.what), evidence=tuple(hide(f.evidence)), remedy=hide(f.remedy))
             for f in map(_untied, ranked)]  # fmt: skip
    return Diagnosis(tuple(examined for examined, _ in seen), in_order(clean))


def _passing(session: Session, fault: Fault) -> bool:
    """Whether users get to the host after all: it was asked before the host said it is well."""
    asked = [e for e in session.instance.endpoints if fault.thing == f"endpoint {e.name}"]
    again = fault.kind == "not-reaching"
    return again and not any(unanswered(e, session.instance.folder) for e in asked)


def consult_once_up(session: Session) -> Diagnosis:
    """Consult until what was just started has come up, or has had its time for that."""
    end = time.monotonic() + YOUNG
    while True:
        diagnosis = consult(session)
        coming = any(told.fault.kind == STARTING for told in diagnosis.findings)
        if not coming or time.monotonic() > end:
            return diagnosis
        time.sleep(PAUSE)


def mend(
    session: Session, faults: list[Fault], by: str
) -> Generator[tuple[Fault, str], None, None]:
    """Carry out the mendings of some faults; yield each with what went wrong, or nothing.

    Nobody else can work on the instance meanwhile; raises `LockHeld` where somebody does.
    """
    store = session.store
    lock = InstanceLock(store.folder, session.transports, holder_here(store.identity, "doctor", by))
    lock.take(store.next_token())
    try:
        for fault in faults:
            _note(session, fault, by, "began")
            trouble = _mended(session, fault)
            _note(session, fault, by, trouble or "done")
            yield fault, trouble
    finally:
        lock.release()


def _mended(session: Session, fault: Fault) -> str:
    mending = fault.mending
    if mending is None:
        return "nothing mends it by itself"
    # What happened once under a name is not done again, and this fault may come back.
    key = f"doctor/{secrets.token_hex(4)}/{fault.kind}"
    host = session.hosts[fault.host].acting_for(key, limit=None, silence=None)
    try:
        action = build(mending.use, dict(mending.with_))
        change = action.plan(host)
        if change.needed:
            action.apply(host, change)
        action.verify(host, change)
    except ChangeoverError as error:
        return session.masker.text(error.message)
    return ""


def _note(session: Session, fault: Fault, by: str, outcome: str) -> None:
    mending = fault.mending.title if fault.mending else ""
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": by, "host": fault.host,
            "fault": fault.what, "mending": mending, "outcome": outcome}  # fmt: skip
    with (session.store.folder / LOG).open("a") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")


def _examined(session: Session, body: Body) -> tuple[Examined, list[Fault]]:
    host = session.hosts[body.host]
    try:
        return examine(host, body, KINDS)
    except ChangeoverError as error:
        lost = Fault("host-unreachable", f"host {host.name}", error.message,
                     remedy=error.remedy or "changeover instance ping", host=host.name)  # fmt: skip
        return Examined(host.name, ()), [lost]


def _untied(fault: Fault) -> Fault:
    return replace(fault, host="") if fault.thing.startswith(UNTIED) else fault


def _body(session: Session, described: Described, host: Host) -> Body:
    parts: dict[str, list[Any]] = {"disks": [Disk("/"), Disk(host.state_dir)]}
    try:
        scope = _scope(session, described.params, host.name)
        for organ in described.organs:
            # What is only presumed may need answers that nobody gave: it is then not looked at.
            with suppress(*((InvalidInput, InvalidRelease) if described.presumed else ())):
                if _concerns(session, organ, host):
                    _add(parts.setdefault(organ.kind, []), organ, scope)
        parts["databases"] = list(_databases(session, host, parts.get("databases", [])))
    except Unreachable:
        return Body(host.name)  # `examine` says so
    found: dict[str, Any] = {kind: tuple(those) for kind, those in parts.items()}
    return Body(host.name, **found)


def _add(parts: list[Any], organ: Organ, scope: Scope) -> None:
    """Add a part once; a presumed unit only where it is a service, not a timer or a socket."""
    made = _part(organ, scope)
    if made not in parts and not ("unit" in organ.values and not made.is_unit):
        parts.append(made)


def _part(organ: Organ, scope: Scope) -> Any:
    try:
        return part(organ.kind, scope.rendered(dict(organ.values), organ.kind))
    except InvalidInput as error:
        raise InvalidRelease(f"{organ.where}: {error.message}", error.remedy) from error


def _scope(session: Session, params: Mapping[str, Any], host: str) -> Scope:
    return session.binder.scope(session.target(None), host).with_params([params])


def _concerns(session: Session, organ: Organ, host: Host) -> bool:
    version = session.target(None)
    if organ.on.once:
        return host in session.concerned(session.release(version), organ.on, organ.when)
    chosen = [spec.name for spec in session.instance.chosen(organ.on.name)]
    return host.name in chosen and session.binder.holds(version, organ.when, host)


def _databases(session: Session, host: Host, told: list[Database]) -> Iterator[Database]:
    """Yield the databases of release and instance, and where the application has its own URL."""
    scope = session.binder.scope(session.target(None), host.name)
    named = {one.name for one in told}
    for name, written in session.instance.databases.items():
        hosts = session.instance.chosen(str(written.get("on", "all")))
        if name not in named and hosts and hosts[0].name == host.name:
            told = [*told, Database(name, str(scope.rendered(written["url"])))]
    for one in told:
        yield replace(one, settings="", key="")
        url = _own_url(session, host, one)
        if url and psql.parse_url(url) != psql.parse_url(one.url):
            yield replace(one, name=f"{one.name} of {one.settings}", url=url)


def _own_url(session: Session, host: Host, one: Database) -> str:
    """Return the URL that the application reads from its settings; empty if there is none."""
    text = (host.read(one.settings) or b"").decode(errors="replace") if one.settings else ""
    found = re.search(rf"^\s*(?:export\s+)?{re.escape(one.key)}\s*=\s*(.*?)\s*$", text, re.M)
    url = found[1].strip("\"'") if found and one.key else ""
    session.masker.learn(url)
    try:
        session.masker.learn(psql.parse_url(url).password)
    except ChangeoverError:
        return ""
    return url


def _address(session: Session, endpoint: Endpoint) -> Address:
    name = urlsplit(endpoint.url).hostname or ""
    asked = _resolved(endpoint.resolve or name)
    outside = unanswered(endpoint, session.instance.folder)
    return Address(endpoint.name, endpoint.url, endpoint.expect, endpoint.contains, outside,
                   asked, bool(endpoint.resolve))  # fmt: skip


def _resolved(name: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _with_addresses(bodies: list[Body], addresses: tuple[Address, ...]) -> list[Body]:
    """Give the addresses to the first host with a web server, or to the first of all."""
    has_nginx: Callable[[Body], bool] = lambda body: bool(body.nginx)  # noqa: E731 - a name for it
    chosen = next(filter(has_nginx, bodies), bodies[0])
    return [replace(b, addresses=addresses) if b is chosen else b for b in bodies]
