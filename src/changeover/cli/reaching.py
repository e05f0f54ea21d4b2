"""`instance ping` and `instance tunnel`: the ways to the hosts of an instance."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import click

from changeover.cli.options import given_here, instance_option, output_option
from changeover.cli.output import emit
from changeover.errors import ChangeoverError, InvalidInput, NotReady, Unreachable
from changeover.hosts.ping import Pong, Trouble, ping
from changeover.hosts.tunnel import Forward, hold, parse_forward
from changeover.instances.folder import open_instance
from changeover.instances.secrets import Secrets
from changeover.model.instance import HostSpec, Instance
from changeover.model.secret import Masker
from changeover.views.style import faint

AT_ONCE = 16
WEB_PORT, OWN_WEB_PORT, POSTGRES = 80, 3080, 5432


@click.command("ping")
@click.argument("hosts", nargs=-1)
@instance_option
@output_option
def ping_hosts(hosts: tuple[str, ...], instance: Path, output: str) -> None:
    """Ask the hosts (those named, or all) whether they can be worked with, and as whom.

    Where one cannot, it says why: name, refused, timeout, network, no-sshd, turned-away,
    host-key, auth, shell, sudo. Exit code 0: all answer; 5: one cannot be reached; 3: all can, but
    sudo fails.
    """
    masker = Masker()
    described, secrets = open_instance(instance, masker.learn, given_here(incomplete=True))
    found = list(pinged(_chosen(described, hosts), secrets, masker))
    emit([{"answers": not p.trouble, **vars(p)} for p in found], pong_lines(found), output)
    troubles = {pong.trouble for pong in found} - {Trouble.NONE}
    if troubles:
        code = NotReady.exit_code if troubles == {Trouble.SUDO} else Unreachable.exit_code
        raise click.exceptions.Exit(code)


def pinged(specs: Sequence[HostSpec], secrets: Secrets, masker: Masker) -> Iterator[Pong]:
    """Ask hosts at once; yield what came back, in their order, secrets masked."""

    def ask(spec: HostSpec) -> Pong:
        try:
            password = secrets[spec.become_password] if spec.become_password else None
        except ChangeoverError as error:
            return Pong(spec.name, Trouble.SUDO, error.message, error.remedy)
        return ping(spec, password, masker)

    with ThreadPoolExecutor(max(1, min(len(specs), AT_ONCE))) as pool:
        yield from pool.map(ask, specs)


def pong_lines(found: Iterable[Pong]) -> Iterator[str]:
    """Render what came back."""
    for pong in found:
        if pong.trouble is Trouble.NONE:
            yield f"{pong.host}: pong, as {pong.said} {faint(f'({pong.seconds:.2f} s)')}"
        else:
            yield f"{pong.host}: no pong: {pong.trouble}: {pong.said}"
            if pong.remedy:
                yield f"  → {pong.remedy}"


@click.command("tunnel")
@click.argument("host", required=False)
@click.option(
    "-R",
    "reverse",
    multiple=True,
    metavar="[PORT:]HOST:PORT",
    help="A port on the host that leads here [its database's, where that is local].",
)
@click.option(
    "-L",
    "local",
    multiple=True,
    metavar="[PORT:]HOST:PORT",
    help=f"A port here that leads to the host [{OWN_WEB_PORT}:localhost:{WEB_PORT}].",
)
@instance_option
def tunnel(
    instance: Path, host: str | None, reverse: tuple[str, ...], local: tuple[str, ...]
) -> None:
    """Hold a tunnel to a host, such as a local VM, until Ctrl-C; it is opened again when it breaks.

    The host reaches the database on this machine, and http://localhost:3080 here is the site there.
    """
    described, secrets = open_instance(instance, given=given_here(incomplete=True))
    spec = _host(described, host)
    forwards = [parse_forward("R", text) for text in reverse]
    forwards += [parse_forward("L", text) for text in local]
    forwards = forwards or _usual(described, secrets)
    for forward in forwards:
        click.echo(forward.said(spec.name))
    with contextlib.suppress(KeyboardInterrupt):
        hold(spec, forwards, lambda said: click.echo(said, err=True))
    click.echo("closed", err=True)


def _usual(described: Instance, secrets: Mapping[str, str]) -> list[Forward]:
    ports = {port for port in map(_local_port, _urls(described, secrets)) if port}
    databases = [Forward("R", port, "localhost", port) for port in sorted(ports or {POSTGRES})]
    return [*databases, Forward("L", OWN_WEB_PORT, "localhost", WEB_PORT)]


def _urls(described: Instance, secrets: Mapping[str, str]) -> Iterator[str]:
    from changeover.engine.render import scope_for  # noqa: PLC0415 - only where it is wanted

    scope = scope_for(described, secrets=secrets)
    for name, database in described.databases.items():
        with contextlib.suppress(ChangeoverError):
            yield str(scope.rendered(database.get("url", ""), f"databases.{name}.url"))


def _local_port(url: str) -> int:
    """Return the port of a database that is on the host itself, as the host sees it; else 0."""
    try:
        parts = urlsplit(url)
        return (parts.port or POSTGRES) if parts.hostname in ("localhost", "127.0.0.1") else 0
    except ValueError:
        return 0


def _chosen(described: Instance, names: Sequence[str]) -> list[HostSpec]:
    for name in names:
        if not described.chosen(name):
            raise InvalidInput(f"{name}: no such host", f"there are: {', '.join(described.hosts)}")
    chosen = [spec for name in names or ("all",) for spec in described.chosen(name)]
    return list({spec.name: spec for spec in chosen}.values())


def _host(described: Instance, name: str | None) -> HostSpec:
    if name is None and len(described.hosts) > 1:
        raise InvalidInput("which host?", f"name one of: {', '.join(described.hosts)}")
    return _chosen(described, [name] if name else [])[0]
