"""The commit point: what undo needed is removed, the latest verified backup stays."""

from __future__ import annotations

from changeover.engine.flow import Flow
from changeover.engine.runs import refuse_overtaken
from changeover.errors import NotReady
from changeover.hosts.command import shell
from changeover.hosts.host import Host
from changeover.model import events as ev
from changeover.model.state import Stage

_EMPTY = """
cd "$1" || exit 0
rm -rf store plans
# Of every backup the latest that was restored and compared stays, and the latest that was proven
# at all; a manifest `ID.json` stands beside its dump.
for folder in backups/*/; do
  [ -d "$folder" ] || continue
  ( cd "$folder"
    restored=; proven=
    for manifest in $(ls -r | grep '[.]json$'); do
      id=${manifest%.json}
      if [ -z "$restored" ] && grep -q '"verified": *"scratch"' "$manifest"; then restored=$id; fi
      if [ -z "$proven" ] && grep -q '"verified": *"[a-z]' "$manifest"; then proven=$id; fi
    done
    [ -n "$proven" ] || exit 0
    for file in *; do
      case ${file%%.*} in "$restored"|"$proven") ;; *) rm -rf -- "$file" ;; esac
    done
    for id in "$proven" "$restored"; do printf '%s%s\n' "${folder#backups/}" "$id"; done | sort -u )
done
"""


def finalize(flow: Flow) -> dict[str, list[str]]:
    """Free what undo needed on every host; return the backups that stay, by host."""
    state = flow.state
    if state.stage not in (Stage.DONE, Stage.FINALIZED):
        raise NotReady(
            f"run {state.run} is {state.stage}: only a run that is done can be finalized",
            "changeover resume, or changeover undo",
        )
    with flow.holding():
        refuse_overtaken(flow.session.store, state.run)
        # Said before it is done: a kill in between must not leave an undo that finds nothing.
        flow.journal.append(ev.Finalized(flow.operator.name))
        kept = {host.name: _empty(host) for host in flow.session.hosts.values()}
        flow.journal.append(ev.Finalized(flow.operator.name, kept))
    return kept


def _empty(host: Host) -> list[str]:
    host.transport.retire("")
    return host.do(shell(_EMPTY, host.state_dir)).splitlines()
