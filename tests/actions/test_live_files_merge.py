"""Merges of configuration files on this machine: what arrives, what stays, what comes back."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from changeover.actions.builtin import build
from changeover.actions.files_merge import Merge
from changeover.actions.files_merge_answers import Answers, Lore, References
from changeover.actions.files_merge_sides import coming_path, new_path
from changeover.bases.record import record_base, record_path
from changeover.errors import ActionFailed
from changeover.hosts.host import Host
from changeover.hosts.shadow import shadow_of
from changeover.merge.verdict import Answer, parse_answer
from changeover.model.findings import Severity
from changeover.model.plan import Effect
from tests.actions.live import acting, applied, planned, undone

BASE = "# The port.\nport = 80\nworkers = 2\n\n[log]\nlevel = 'info'\n"
EDITED = "# The port.\nport = 8080\nworkers = 2\n\n[log]\nlevel = 'info'\nfile = '/var/log/app'\n"
REFERENCE = "# The port.\nport = 80\nworkers = 4\ntimeout = 30\n\n[log]\nlevel = 'info'\n"
MERGED = (
    "# The port.\nport = 8080\nworkers = 4\ntimeout = 30\n\n[log]\nlevel = 'info'\n"
    "file = '/var/log/app'\n"
)


@pytest.fixture
def path(tmp_path: Path, host: Host) -> Path:
    """An edited file whose reference was recorded by an earlier run."""
    file = tmp_path / "app.toml"
    file.write_text(EDITED)
    record_base(host, str(file), BASE.encode())
    return file


def merging(path: Path, content: str = REFERENCE, **params: Any) -> dict[str, Any]:
    return {"path": str(path), "content": content, **params}


def answering(params: dict[str, Any], **answers: str) -> Merge:
    action = build("files.merge", params)
    assert isinstance(action, Merge)
    given = {name: parse_answer(said) for name, said in answers.items()}
    return replace(action, lore=Lore(answers=Answers(given, key=lambda: b"key")))


def leftovers(path: Path, host: Host) -> list[str]:
    found = [
        p for p in (coming_path(host, str(path)), new_path(host, str(path))) if host.look(p).there
    ]
    return [*found, *(p.name for p in path.parent.iterdir() if p.name.startswith("."))]


def test_defaults_arrive_and_edits_stay_and_all_comes_back_byte_for_byte(
    host: Host, path: Path
) -> None:
    action, change = applied("files.merge", host, **merging(path))

    assert path.read_text() == MERGED
    assert change.summary == (
        f"merge {path}: from the new reference: workers, timeout; kept from here: port, log.file"
    )
    assert "-workers = 2\n+workers = 4\n+timeout = 30\n" in change.diff
    assert leftovers(path, host) == []
    undone(action, host, change)
    assert path.read_text() == EDITED
    assert host.read(record_path(host, str(path))) == BASE.encode()


def test_the_next_release_merges_with_what_this_one_recorded(host: Host, path: Path) -> None:
    applied("files.merge", host, **merging(path))

    applied("files.merge", host, **merging(path, REFERENCE.replace("timeout = 30", "timeout = 60")))

    assert path.read_text() == MERGED.replace("timeout = 30", "timeout = 60")


def test_two_releases_planned_at_once_lead_where_two_runs_lead(host: Host, path: Path) -> None:
    second = REFERENCE.replace("workers = 4", "workers = 8").replace("timeout = 30\n", "")
    shadow = shadow_of(host)
    diffs = []
    for content in (REFERENCE, second):
        action = build("files.merge", merging(path, content))
        action.foresee(shadow, change := action.plan(shadow))
        diffs.append(change.diff)

    assert "+workers = 8" in diffs[1]
    assert "timeout" not in (shadow.read(str(path)) or b"").decode()
    assert path.read_text() == EDITED


def test_a_file_nobody_has_is_the_reference(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "fresh.toml"

    action, change = applied("files.merge", host, **merging(path, mode="0600"))

    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (REFERENCE, 0o600)
    assert change.effect is Effect.CREATE
    undone(action, host, change)
    assert not path.exists()
    assert not host.look(record_path(host, str(path))).there


def test_links_are_written_through(host: Host, path: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    link = tmp_path / "etc" / "app.toml"
    link.symlink_to("../app.toml")

    action, change = applied("files.merge", host, **merging(link))

    assert link.is_symlink()
    assert path.read_text() == MERGED
    undone(action, host, change)
    assert (link.is_symlink(), path.read_text()) == (True, EDITED)


def test_mode_owner_and_access_lists_stay(host: Host, path: Path) -> None:
    path.chmod(0o640)
    os.chown(path, 1, 1)
    subprocess.run(["setfacl", "-m", "u:33:r", str(path)], check=True)
    before = access(path)

    action, change = applied("files.merge", host, **merging(path))

    assert access(path) == before
    undone(action, host, change)
    assert access(path) == before


def access(path: Path) -> str:
    told = subprocess.run(
        ["getfacl", "--numeric", "--absolute-names", str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "user:33:r" in told
    return told


def test_a_file_mounted_alone_keeps_its_inode_there_and_back(host: Host, path: Path) -> None:
    inode = path.stat().st_ino

    action, change = applied("files.merge", host, **merging(path, mounted=True))

    assert (path.stat().st_ino, path.read_text()) == (inode, MERGED)
    undone(action, host, change)
    assert (path.stat().st_ino, path.read_text()) == (inode, EDITED)


def test_ours_may_be_the_file_of_another_slot(host: Host, path: Path, tmp_path: Path) -> None:
    other = tmp_path / "next" / "app.toml"
    other.parent.mkdir()

    action, change = applied("files.merge", host, **merging(other, ours=str(path)))

    assert (other.read_text(), path.read_text()) == (MERGED, EDITED)
    undone(action, host, change)
    assert (other.exists(), path.read_text()) == (False, EDITED)


def test_a_conflict_is_found_before_anything_happens_and_answered(host: Host, path: Path) -> None:
    params = merging(path, REFERENCE.replace("port = 80", "port = 81"), notes={"port": "Use 81."})
    found = [f for f in build("files.merge", params).check(host) if f.severity is Severity.FAIL]

    (conflict,) = found
    assert conflict.message == (
        f"{path}: port: changed here and in the reference\n"
        "  base   port = 80  (line 2)\n  ours   port = 8080  (line 2)\n"
        "  theirs port = 81  (line 2)\n  the vendor says: Use 81."
    )
    assert conflict.remedy == f"--answer '{path}:port=ours', `theirs`, or a value"
    assert build("files.merge", params).plan(host).question.startswith(f"{path}: not settled: port")
    for said, port in (("ours", "8080"), ("theirs", "81"), ("99", "99")):
        action = answering(params, port=said)
        assert not [f for f in action.check(host) if f.severity is Severity.FAIL]
        assert not action.plan(host).question
        assert f"port = {port}\n" in action.merged(host).content.decode()


def test_answers_are_remembered_until_the_question_changes(host: Host, path: Path) -> None:
    params = merging(path, REFERENCE.replace("port = 80", "port = 81"))
    first = answering(params, port="theirs")
    first.plan(host)
    kept = Answers(known=first.lore.answers.fresh, key=lambda: b"key")

    same = replace(build_merge(params), lore=Lore(answers=kept))
    changed = merging(path, REFERENCE.replace("port = 80", "port = 82"))
    other = replace(build_merge(changed), lore=Lore(answers=kept))

    assert "8080" not in str(kept.known)
    assert same.merged(host).conflicts == ()
    assert [c.path for c in other.merged(host).conflicts] == ["port"]


def build_merge(params: dict[str, Any]) -> Merge:
    action = build("files.merge", params)
    assert isinstance(action, Merge)
    return action


def test_a_renamed_setting_takes_the_value_along_and_a_required_one_is_asked_for(
    host: Host, path: Path
) -> None:
    reference = REFERENCE.replace("port = 80", "listen = 80")
    params = merging(path, reference, renamed={"port": "listen"}, required=["owner"])

    assert [c.kind for c in build_merge(params).merged(host).conflicts] == ["required"]
    action = answering(params, owner="'me'")
    merged = action.merged(host).content.decode()
    assert "listen = 8080" in merged
    assert "owner = 'me'" in merged
    assert "port" not in merged.replace("# The port.", "")


def test_a_base_that_is_a_guess_is_asked_about(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.toml"
    path.write_text(EDITED)
    known = References({"shop 1.0": BASE.encode()})

    def action(answers: dict[str, Answer]) -> Merge:
        lore = Lore(lambda: known, Answers(answers, key=lambda: b"key"))
        return replace(build_merge(merging(path)), lore=lore)

    (conflict,) = action({}).merged(host).conflicts
    assert (conflict.path, conflict.kind) == ("(base)", "guessed")
    assert "shop 1.0: a guess" in (conflict.base.text if conflict.base else "")
    accepted = action({"(base)": parse_answer("accept")}).merged(host)
    assert (accepted.conflicts, accepted.content.decode()) == ((), MERGED)
    alone = action({"(base)": parse_answer("none")}).merged(host)
    assert {c.path for c in alone.conflicts} == {"port", "workers"}


def test_the_reference_of_the_installed_release_is_the_base_nobody_recorded(
    host: Host, tmp_path: Path
) -> None:
    path = tmp_path / "app.toml"
    path.write_text(EDITED)
    known = References({"shop 1.0": BASE.encode()}, "shop 1.0")

    found = replace(build_merge(merging(path)), lore=Lore(lambda: known)).merged(host)

    assert (found.conflicts, found.content.decode()) == ((), MERGED)
    assert found.origin == "the reference of shop 1.0"


def test_secrets_are_masked_in_what_is_shown(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "app.toml"
    path.write_text("[db]\npassword = 'hunter2'\nuser = 'joe'\n")
    record_base(host, str(path), b"[db]\npassword = 'x'\nuser = 'app'\n")
    theirs = "[db]\npassword = 'changeme'\nuser = 'web'\nurl = 'pg://u:sesame@db'\n"

    action = build_merge(merging(path, theirs, secrets=["db.user"]))
    shown = action.plan(host).diff + "".join(f.message for f in action.check(host))

    assert [c.path for c in action.merged(host).conflicts] == ["db.password", "db.user"]
    for secret in ("hunter2", "changeme", "sesame", "joe", "'web'"):
        assert secret not in shown
    assert "theirs •••" in shown


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


def test_an_edit_since_the_run_is_not_lost_unasked(host: Host, path: Path) -> None:
    action, change = applied("files.merge", host, **merging(path))
    path.write_text("port = 1\n")

    assert "changed since the run; lose that?" in undone(action, host, change).question


def test_a_missing_validator_stops_nobody_later_than_the_check(host: Host, path: Path) -> None:
    action = build_merge(merging(path, validate=["no-such-program", "{}"]))

    (finding,) = [f for f in action.check(host) if f.severity is Severity.FAIL]

    assert finding.message == "no-such-program: no such program"


@pytest.mark.parametrize(
    ("content", "why"),
    [("port = = 1\n", "line 1, column 8: theirs: not TOML"), (REFERENCE, None)],
)
def test_a_file_that_cannot_be_read_is_named(
    host: Host, path: Path, content: str, why: str | None
) -> None:
    if why is None:
        path.write_text("port = [\n")
    with pytest.raises(ActionFailed, match=why or "ours: "):
        build_merge(merging(path, content)).plan(host)


@pytest.fixture
def lock(path: Path) -> Iterator[Callable[[str], None]]:
    """Set an attribute on the file; taken away in the end."""
    done: list[str] = []

    def change(attribute: str) -> None:
        made = subprocess.run(["chattr", f"+{attribute}", path], capture_output=True, check=False)
        if made.returncode:
            said = f"no such attributes on the file system of {path}: {made.stderr!r}"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
        done.append(attribute)

    yield change
    for attribute in done:
        subprocess.run(["chattr", f"-{attribute}", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set attributes")
@pytest.mark.parametrize("attribute", ["i", "a"])
def test_a_file_that_an_attribute_locks_is_found_by_the_check(
    host: Host, path: Path, lock: Callable[[str], None], attribute: str
) -> None:
    lock(attribute)
    action = build_merge(merging(path))

    found = [f for f in action.check(host) if f.severity is Severity.FAIL]

    assert [f.message for f in found] == [
        f"{path}: an attribute keeps it, or its folder, from being changed"
    ]
    assert "chattr -ia" in found[0].remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set attributes")
def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(
    host: Host, path: Path, lock: Callable[[str], None]
) -> None:
    lock("i")
    before = sorted(path.parent.iterdir())

    with pytest.raises(ActionFailed, match="Operation not permitted"):
        applied("files.merge", host, **merging(path))

    assert sorted(path.parent.iterdir()) == before
    assert path.read_text() == EDITED
