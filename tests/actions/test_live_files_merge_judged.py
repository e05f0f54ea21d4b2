"""Merged files before a validator, and before the service that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from changeover.bases.record import record_path
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.model.findings import Severity
from tests.actions.live import acting, applied, planned, undone
from tests.actions.merging import BASE, EDITED, MERGED, build_merge, edited, leftovers, merging


@pytest.fixture
def path(tmp_path: Path, host: Host) -> Path:
    """An edited file whose reference was recorded by an earlier run."""
    return edited(tmp_path, host)


def test_what_the_validator_refuses_is_never_written(host: Host, path: Path) -> None:
    refuses = [
        "sh",
        "-c",
        'grep -q "timeout = 30" "$1" && { echo "no $1" >&2; exit 1; }',
        "sh",
        "{}",
    ]
    action, change = planned("files.merge", host, **merging(path, validate=refuses))

    (finding,) = [f for f in action.check(host) if f.severity is Severity.FAIL]
    with pytest.raises(ActionFailed, match=f"sh refuses it: no {path}"):
        action.apply(acting(host), change)

    assert f"sh refuses it: no {path}" in finding.message
    assert path.read_text() == EDITED
    assert not (Path(host.state_dir) / "trial").exists() or not list(
        (Path(host.state_dir) / "trial").iterdir()
    )


def test_a_tree_is_judged_as_it_would_be(host: Host, tmp_path: Path) -> None:
    tree = tmp_path / "etc"
    (tree / "on").mkdir(parents=True)
    (tree / "main").write_text(f"include {tree}/on/site\n")
    (tree / "site").write_text("old\n")
    (tree / "on" / "site").symlink_to(tree / "site")
    asks = 'f=$(sed "s/include //" "$1/main"); grep -qx new "$f" && test "$f" != "$2"'
    judge = ["sh", "-c", asks, "sh", "{tree}", f"{tree}/on/site"]

    applied(
        "files.merge", host,
        path=str(tree / "site"), content="new\n", base="old\n", validate=judge, tree=str(tree),
    )  # fmt: skip

    assert (tree / "site").read_text() == "new\n"
    assert (tree / "main").read_text() == f"include {tree}/on/site\n"


def test_a_service_that_does_not_take_it_has_its_old_file_back(host: Host, path: Path) -> None:
    words = ["grep", "-q", "workers = 2", str(path)]
    action, change = planned("files.merge", host, **merging(path, refresh=words))

    with pytest.raises(ActionFailed, match="grep does not take it"):
        action.apply(acting(host), change)

    assert path.read_text() == EDITED
    assert host.read(record_path(host, str(path))) == BASE.encode()
    assert leftovers(path, host) == []


def test_a_service_reads_the_file_after_each_change_and_each_undo(host: Host, path: Path) -> None:
    seen = path.with_name("seen")
    action, change = planned(
        "files.merge", host, **merging(path, refresh=["cp", str(path), str(seen)])
    )

    action.apply(acting(host), change)
    assert seen.read_text() == MERGED
    undone(action, host, change)
    assert seen.read_text() == EDITED


def test_a_missing_validator_stops_nobody_later_than_the_check(host: Host, path: Path) -> None:
    action = build_merge(merging(path, validate=["no-such-program", "{}"]))

    (finding,) = [f for f in action.check(host) if f.severity is Severity.FAIL]

    assert finding.message == "no-such-program: no such program"
