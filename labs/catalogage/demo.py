"""`make demo`: a running web platform goes from release to release, with users on it.

Everything is real but the platform's two programs.
KEEP=1 leaves it all running; DEMO_SSH=1 reaches the host over SSH instead of locally.
"""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.servers.program import NotStarted, await_outcome

from labs.catalogage.choice import DATABASE
from labs.catalogage.edits import Edits
from labs.catalogage.figures import Figures, figures_of, table
from labs.catalogage.hub import publish, publish_later
from labs.catalogage.local import LocalLab
from labs.catalogage.traffic import Traffic

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".lab" / "demo"
CHANGEOVER = Path(sys.executable).with_name("changeover")
NEEDED_MIB = 600


class Unexpected(Exception):
    """Something in the demonstration did not come out as it must."""


@dataclass
class Demo:
    """The scenes, in order; each leaves the platform as the next one wants it."""

    lab: LocalLab
    instance: Path
    figures: list[Figures] = field(default_factory=list)
    users: Traffic | None = None
    edits: Edits | None = None
    run: "subprocess.Popen[bytes] | None" = None
    """The command that is to be killed."""

    def play(self) -> None:
        """Play every scene."""
        self.set_the_stage()
        self.change_over_unnoticed()
        self.look_before_touching()
        self.change_over()
        self.fail_and_come_back()
        self.be_killed_and_go_on()
        self.tell()

    def set_the_stage(self) -> None:
        """Start the platform and its users."""
        scene("A data catalogue, release 1.0.0, is running")
        self.lab.start()
        ssh = bool(os.environ.get("DEMO_SSH"))
        self.lab.write_instance(self.instance, ssh, publish(self.hub))
        print(f"  {self.lab.layout.client_url}/   nginx, Node, uvicorn, {self.rows()} rows")
        self.users = Traffic(self.lab.layout.client_url, str(self.lab.authority)).start()
        self.edits = Edits(self.lab.layout)
        self.edits.make()
        print("  edited by hand: nginx's site, .env and supervisor's file")
        print("  users: 20 requests a second, every fourth writes a row; they stay to the end")

    def change_over_unnoticed(self) -> None:
        """A release whose code works on the same schema: nobody waits."""
        scene("Release 1.1.0 is code alone: nobody notices")
        self.changeover(
            "apply", "--set", "ref=1.1.0", "--set", "compatible_migrations=true", "--yes"
        )
        self.expect_version("1.1.0")
        self.note("1.0.0 → 1.1.0, code alone")

    def look_before_touching(self) -> None:
        """Check and plan a release with a slow migration."""
        scene("Release 1.2.0 rewrites every row: what would happen?")
        self.changeover("check", "--set", "ref=1.2.0")
        self.changeover("plan", "--set", "ref=1.2.0", "--short", "--out", str(self.plan_file))

    def change_over(self) -> None:
        """Carry the plan out."""
        scene("Carry out exactly that plan")
        self.changeover("apply", str(self.plan_file), "--yes")
        self.expect_version("1.2.0")
        self.note("1.1.0 → 1.2.0, a slow migration")

    def fail_and_come_back(self) -> None:
        """A release whose second migration fails, undone by itself."""
        publish_later(self.hub)
        scene("Release 1.4.0 fails half-way through its migrations: back by itself")
        before, kept = self.content(), self.revision()
        self.changeover(
            "apply", "--set", "ref=1.4.0", "--yes", "--on-failure", "undo", must_fail=True
        )
        self.expect_version("1.2.0")
        if self.revision() != kept:
            raise Unexpected(f"the schema is at {self.revision()}, not back at {kept}")
        if not before <= self.content():
            raise Unexpected("rows of before are not as they were")
        print(
            f"  as before: release 1.2.0, schema {kept}, every one of {len(before)} rows unchanged"
        )
        self.note("1.2.0 → 1.4.0, failed and undone")

    def be_killed_and_go_on(self) -> None:
        """SIGKILL in the middle of the migration, then resume."""
        scene("Release 1.4.1, and somebody kills the tool in the middle")
        words = [str(CHANGEOVER), "apply", "--set", "ref=1.4.1", "--yes"]
        shown(words)
        self.run = run = subprocess.Popen(
            words, env=self.environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        if not await_outcome(lambda: self.migrating() or run.poll() is not None, 90):
            raise Unexpected("the run never came to its migration")
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        print("  kill -KILL, the whole process group: the migration runs on, nobody follows it")
        self.changeover("resume", "--yes")
        self.expect_version("1.4.1", renamed=True)
        self.note("1.2.0 → 1.4.1, killed and resumed")

    def tell(self) -> None:
        """Stop the users, count, and accept the last run."""
        scene("What it cost")
        if self.users is None:
            raise Unexpected("no users")
        report = self.users.stop()
        lost = self.users.lost(report.acknowledged)
        for line in table(self.figures, report):
            print(f"  {line}")
        if lost:
            raise Unexpected(f"{len(lost)} rows that were acknowledged are gone: {lost[:3]}")
        print(f"  rows that users were told are saved: {len(report.acknowledged)}, lost: 0")
        if self.edits:
            print(f"  {self.edits.told()}")
        self.changeover("finalize", "--yes")

    def changeover(self, *words: str, must_fail: bool = False) -> None:
        """Run one command, its output shown as it comes; raises Unexpected on the wrong outcome."""
        shown(["changeover", *words])
        done = subprocess.run(
            [str(CHANGEOVER), *words], env=self.environment, stdin=subprocess.DEVNULL, check=False
        )
        if (done.returncode != 0) != must_fail:
            raise Unexpected(f"changeover {words[0]}: exit code {done.returncode}")

    def expect_version(self, version: str, *, renamed: bool = False) -> None:
        """Users must be served by this release, by pages and API alike."""
        if not await_outcome(lambda: self.lab.site.healthy, 20):
            raise Unexpected("the platform does not answer")
        found = self.lab.site.health()["version"]
        if found != version or f"Catalogue {version}" not in self.lab.site.page():
            raise Unexpected(f"release {found} answers, not {version}")
        print(f"  users get release {version}")
        self.expect_edits(renamed=renamed)

    def expect_edits(self, *, renamed: bool = False) -> None:
        """What the operator changed by hand must be there, whatever was installed."""
        lost = list(self.edits.lost(renamed=renamed)) if self.edits else ["all"]
        if lost:
            raise Unexpected(f"edits made by hand are gone: {'; '.join(lost)}")

    def note(self, title: str) -> None:
        """Keep the figures of the run that ended."""
        self.figures.append(figures_of(title, self.instance, self.environment))

    def migrating(self) -> bool:
        """Whether the database is at work on the migration."""
        asked = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'UPDATE %'"
        return bool(self.lab.postgres.sql(asked))

    def rows(self) -> str:
        """How many datasets there are."""
        return self.lab.postgres.sql("SELECT count(*) FROM dataset", DATABASE)

    def content(self) -> set[str]:
        """A digest of every row."""
        return set(self.lab.postgres.sql("SELECT md5(d::text) FROM dataset d", DATABASE).split())

    def revision(self) -> str:
        """The revision of the schema."""
        return self.lab.postgres.sql("SELECT version_num FROM alembic_version", DATABASE)

    @property
    def hub(self) -> Path:
        """Where the vendor publishes the guides."""
        return self.instance.with_name("demo-hub")

    @property
    def plan_file(self) -> Path:
        """The saved plan."""
        return self.instance / "plan.json"

    @property
    def environment(self) -> dict[str, str]:
        """What the operator's shell has."""
        return {**os.environ, **self.lab.environment, "CHANGEOVER_INSTANCE": str(self.instance)}


def scene(title: str) -> None:
    """Begin a scene."""
    print(f"\n{'═' * 4} {title} {'═' * max(4, 92 - len(title))}", flush=True)


def shown(words: list[str]) -> None:
    """Show a command as the operator would type it."""
    print(f"\n$ {' '.join([Path(words[0]).name, *words[1:]])}", flush=True)


def needs() -> None:
    """Say what the demonstration needs; raises Unexpected when the disk is too small."""
    ROOT.joinpath(".lab").mkdir(exist_ok=True)
    free = shutil.disk_usage(ROOT / ".lab").free // 2**20
    print(f"This takes two minutes and {NEEDED_MIB} MiB in .lab/demo; no root, no keys to press.")
    print("It starts its own nginx, PostgreSQL and supervisord on free ports of 127.0.0.1.")
    if free < NEEDED_MIB:
        raise Unexpected(f"only {free} MiB free in {ROOT}")


def main() -> int:
    """Play the demonstration and clean up; gives the exit code."""
    keep = bool(os.environ.get("KEEP"))
    lab = LocalLab(FOLDER, tied=not keep)
    demo = Demo(lab, FOLDER.with_name("demo-instance"))
    signal.signal(signal.SIGTERM, _interrupted)
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=True)  # in step with what the commands print
    began, code = time.monotonic(), 0
    try:
        needs()
        for folder in (demo.instance, demo.hub):
            shutil.rmtree(folder, ignore_errors=True)
        demo.play()
    except (Unexpected, NotStarted, OSError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        code = 130
    finally:
        _clean_up(demo, keep)
    print(f"\n{time.monotonic() - began:.0f} s in all.")
    return code


def _clean_up(demo: Demo, keep: bool) -> None:
    if demo.run is not None and demo.run.poll() is None:
        os.killpg(demo.run.pid, signal.SIGKILL)
        demo.run.wait()
    if demo.users is not None:
        demo.users.stop()
    if not keep:
        demo.lab.remove()
        for folder in (demo.instance, demo.hub):
            shutil.rmtree(folder, ignore_errors=True)
        return
    print(f"\nLeft running: {demo.lab.layout.client_url}/ (authority: {demo.lab.authority})")
    print(f"  try: .venv/bin/changeover -i {demo.instance} history")
    print(f"  end: .venv/bin/python -m labs.catalogage.lab remove --folder {demo.lab.folder}")


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
