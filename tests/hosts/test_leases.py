import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from changeover.errors import Fenced, NotReady
from changeover.hosts.command import command, shell
from changeover.hosts.tenure import Lease
from changeover.hosts.transport import ShellTransport
from tests.hosts.conftest import Opener
from tests.servers.program import await_outcome


def fresh(lease: Lease | None) -> tuple[int, str]:
    """Return token and holder of a lease that was taken or renewed just now."""
    assert lease is not None
    assert 25 < lease.left <= 30
    return lease.token, lease.holder


def touch(transport: ShellTransport, path: Path) -> None:
    transport.run(command("touch", str(path)), timeout=9, silence=None)


def age(state: Path, seconds: int) -> None:
    """Make the lease older than it is."""
    mark, boot, until, rest = (state / "lock").read_text().split(" ", 3)
    (state / "aged").write_text(f"{mark} {boot} {int(until) - seconds} {rest}")
    (state / "aged").rename(state / "lock")


def test_a_free_lease_is_taken_and_shown(anywhere: ShellTransport, state: Path) -> None:
    assert anywhere.lock_show() is None

    assert anywhere.lock_take(7, "me on here", 30) is None

    assert fresh(anywhere.lock_show()) == (7, "me on here")
    assert state.stat().st_mode & 0o777 == 0o700
    anywhere.lock_release()
    assert anywhere.lock_show() is None


def test_a_held_lease_says_who_has_it_and_stays(here: ShellTransport, another: Opener) -> None:
    here.lock_take(1, "first", 30)
    other = another()

    held = other.lock_take(2, "second", 30)

    assert held is not None
    assert (held.token, held.holder) == (1, "first")
    assert here.lock_show() == held
    here.lock_renew()


def test_two_machines_that_count_to_the_same_token_are_told_apart(
    here: ShellTransport, another: Opener, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    other = another()

    assert other.lock_take(1, "second", 30) is not None
    other.lock_take(1, "second", 30, force=True)

    with pytest.raises(Fenced):
        touch(here, tmp_path / "effect")


def test_a_lapsed_lease_is_free(here: ShellTransport, another: Opener, state: Path) -> None:
    here.lock_take(1, "first", 30)
    age(state, 31)

    assert here.lock_show() is None
    assert another().lock_take(2, "second", 30) is None
    with pytest.raises(Fenced):
        here.lock_renew()


def test_a_lease_that_lapsed_but_nobody_took_is_still_ours(
    here: ShellTransport, state: Path, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    age(state, 60)

    touch(here, tmp_path / "effect")
    here.lock_renew()

    assert fresh(here.lock_show()) == (1, "first")


@pytest.mark.parametrize("wrong", ["boot", "clock"])
def test_after_a_new_boot_the_holder_gets_one_ttl_and_no_more(
    here: ShellTransport, another: Opener, state: Path, wrong: str
) -> None:
    here.lock_take(1, "first", 30)
    mark, boot, until, ttl, rest = (state / "lock").read_text().split(" ", 4)
    uptime = int(float(Path("/proc/uptime").read_text().split()[0]))
    was = ("other-boot", until) if wrong == "boot" else (boot, str(10 * uptime + 10_000))

    (state / "lock").write_text(" ".join([mark, *was, ttl, rest]))
    assert another().lock_take(2, "second", 30) is None

    (state / "lock").write_text(" ".join([mark, *was, str(uptime + 20), rest]))
    held = another().lock_take(3, "third", 30)
    assert held is not None
    assert 0 < held.left <= 20


def test_of_eight_takers_one_gets_it(another: Opener) -> None:
    transports = [another() for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        took = list(pool.map(lambda t: t.lock_take(1, "somebody", 30), transports))

    assert took.count(None) == 1
    assert len({held.holder for held in took if held}) == 1


def test_the_lease_can_be_taken_again_by_who_has_it(here: ShellTransport, tmp_path: Path) -> None:
    here.lock_take(1, "me", 30)

    assert here.lock_take(2, "me", 30) is None

    touch(here, tmp_path / "effect")
    assert fresh(here.lock_show()) == (2, "me")


def test_once_the_lease_is_stolen_nothing_is_done_anymore(
    anywhere: ShellTransport, another: Opener, state: Path, tmp_path: Path
) -> None:
    anywhere.lock_take(1, "first", 30)
    touch(anywhere, tmp_path / "before")
    another().lock_take(2, "thief", 30, force=True)

    effect = tmp_path / "effect"
    anywhere.announce('{"seq": 1}')
    for attempt in (
        lambda: touch(anywhere, effect),
        lambda: anywhere.write(str(effect), b"x", mode=0o600, owner="", group=""),
        lambda: anywhere.write(str(effect), b"x" * 100_000, mode=0o600, owner="", group=""),
        lambda: anywhere.once("k", command("touch", str(effect)), timeout=9, silence=None),
        lambda: anywhere.remove(str(tmp_path / "before")),
        lambda: anywhere.link(str(effect), "x"),
        lambda: anywhere.make_folder(str(effect), mode=0o700, owner="", group=""),
        anywhere.flush,
        anywhere.lock_renew,
    ):
        with pytest.raises(Fenced, match="no longer ours"):
            attempt()

    assert {p.name for p in tmp_path.iterdir()} == {"before", "it's a state"}
    assert not (state / "journal").exists()
    assert await_outcome(lambda: not list(state.glob("changeover.*")), 30)
    anywhere.lock_release()
    assert fresh(another().lock_take(3, "third", 30)) == (2, "thief")


def test_a_lost_lock_file_stops_everything(
    here: ShellTransport, state: Path, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    (state / "lock").unlink()

    with pytest.raises(Fenced):
        touch(here, tmp_path / "effect")


def test_the_fence_stands_again_after_a_new_connection(
    here: ShellTransport, another: Opener, tmp_path: Path
) -> None:
    here.lock_take(1, "first", 30)
    here.close()
    touch(here, tmp_path / "before")
    another().lock_take(2, "thief", 30, force=True)
    here.close()

    with pytest.raises(Fenced):
        touch(here, tmp_path / "effect")


def test_the_lease_is_renewed_while_a_command_runs_and_prints(
    anywhere: ShellTransport, state: Path, tmp_path: Path
) -> None:
    anywhere.lock_take(1, "me", 30)
    flag = tmp_path / "flag"
    loop = 'while [ ! -e "$1" ]; do head -c 9000 /dev/zero; sleep 0.01; done; echo end'
    printing = shell(loop, str(flag))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(anywhere.run, printing, timeout=60, silence=None)
        assert await_outcome(lambda: anywhere.lock_show() is not None, 30)

        for _ in range(10):
            age(state, 20)
            anywhere.lock_renew()
            assert fresh(anywhere.lock_show()) == (1, "me")
        flag.touch()
        printed = running.result().stdout

    assert printed.strip("\0") == "end\n"


def test_without_a_lease_there_is_no_fence_to_insist_on(here: ShellTransport) -> None:
    with pytest.raises(Fenced):
        here.arm(1)
    with pytest.raises(Fenced):
        here.lock_renew()
    here.lock_release()

    here.lock_take(1, "me", 30)
    here.arm(1)


def test_lines_wait_for_the_lease(here: ShellTransport) -> None:
    here.announce('{"seq": 1}')
    here.lock_take(1, "me", 30)
    assert here.leftover() is None

    here.flush()

    assert here.journal_lines() == ['{"seq": 1}']


@pytest.mark.skipif(os.geteuid() != 0, reason="root may write everywhere, this is about others")
def test_who_may_not_lock_is_told_what_to_do(another: Opener) -> None:
    nobody = another(words=("runuser", "-u", "nobody", "--", "/bin/sh", "-c"))

    with pytest.raises(NotReady, match="Permission denied") as told:
        nobody.lock_take(1, "me", 30)

    assert "state_dir" in told.value.remedy
