"""The commit point: what undo needed is removed, the latest verified backup stays."""

from __future__ import annotations

from changeover.engine.flow import Flow
from changeover.errors import NotReady
from changeover.hosts.command import shell
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.state import Stage

_EMPTY = """
cd "$1" || exit 0
rm -rf store once plans
[ -d backups ] || exit 0
cd backups
latest=
for manifest in $(ls -t -- *.json 2>/dev/null); do
  if [ -z "$latest" ] && grep -q '"verified": *true' "$manifest"; then latest=${manifest%.json}; fi
done
for file in *; do
  [ -e "$file" ] || continue
  case "$file" in "$latest".*|"$latest") printf '%s\\n' "$file";; *) rm -rf -- "$file";; esac
done
"""


def finalize(flow: Flow) -> dict[str, list[str]]:
    """Free what undo needed on every host; return the backups that stay, by host."""
    state = flow.state
    if state.stage is not Stage.DONE:
        raise NotReady(
            f"run {state.run} is {state.stage}: only a run that is done can be finalized",
            "changeover resume, or changeover undo",
        )
    with flow.holding():
        kept = {host.name: _empty(host) for host in flow.session.hosts.values()}
        flow.journal.append(ev.Finalized(flow.operator.name, kept))
    return kept


def _empty(host: Host) -> list[str]:
    return host.do(shell(_EMPTY, host.state_dir)).splitlines()
