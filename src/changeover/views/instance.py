"""An instance as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from changeover.model.instance import HostSpec, Instance
from changeover.views.style import faint, strong


def instance_lines(instance: Instance, secrets: Mapping[str, str]) -> Iterator[str]:
    """Render an instance; `secrets` says where each is kept, never what it is."""
    yield strong(f"{instance.name}: {instance.product}")
    said = {"edition": instance.edition, "method": instance.method, "language": instance.language}
    yield "  " + ", ".join(f"{k} {v}" for k, v in said.items() if v)
    for host in instance.hosts.values():
        yield f"  host {_host(host)}"
    for name, where in secrets.items():
        yield f"  secret {name}  {faint(where)}"
    for name in instance.databases:
        yield f"  database {name}"
    for endpoint in instance.endpoints:
        yield f"  endpoint {endpoint.name}: {endpoint.url} ({endpoint.expect})"
    for site_step in instance.site_steps:
        yield f"  site step {site_step.step.id} {site_step.place} {site_step.anchor}"
    for hub in instance.hubs:
        yield f"  hub {hub}"


def _host(host: HostSpec) -> str:
    way = "this machine" if host.transport == "local" else host.address or host.name
    user = f"{host.user}@" if host.user else ""
    port = f":{host.port}" if host.port else ""
    become = f", {host.become}" if host.become else ""
    return f"{host.name}: {user}{way}{port} ({', '.join(host.roles) or 'no role'}{become})"
