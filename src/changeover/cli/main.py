"""The command line: words become objects, a view and an exit code."""

from __future__ import annotations

import os
import sqlite3
import sys
from typing import NoReturn

import click

from changeover import __version__
from changeover.cli.lazy import LazyGroup
from changeover.cli.screen import guard_terminals
from changeover.errors import ChangeoverError
from changeover.views.style import wrapped

_CLI = "changeover.cli."

COMMANDS = {
    "check": (_CLI + "planning:check", "Look for everything that would make an upgrade fail."),
    "plan": (_CLI + "planning:plan", "Show exactly what an upgrade would do here."),
    "doctor": (_CLI + "doctor:doctor", "Find out what is wrong, why, and what to do."),
    "apply": (_CLI + "applying:apply", "Carry out a plan."),
    "run": (_CLI + "running:run_procedure", "Carry out a named procedure of the release."),
    "resume": (_CLI + "applying:resume", "Go on with a run that stopped or was killed."),
    "undo": (_CLI + "applying:undo", "Go back to where a run began."),
    "finalize": (_CLI + "applying:finalize", "Accept a run for good and free what undo needed."),
    "pause": (_CLI + "steering:pause", "Stop a run after its current step."),
    "abort": (_CLI + "steering:abort", "Stop a run for good, as it stands."),
    "approve": (_CLI + "steering:approve", "Open a gate a run waits at."),
    "skip": (_CLI + "steering:skip", "Pass over a failed step, with a reason."),
    "settle": (_CLI + "steering:settle", "Say what happened to a step in doubt."),
    "takeover": (_CLI + "steering:takeover", "Continue a run that began on another machine."),
    "lock": (_CLI + "steering:lock", "See or release the lock of an instance."),
    "history": (_CLI + "reading:history", "List the runs of an instance."),
    "show": (_CLI + "reading:show", "Show a run: its plan and where every step stands."),
    "watch": (_CLI + "reading:watch", "Follow a run as it happens."),
    "logs": (_CLI + "reading:logs", "Show what the commands of a step said."),
    "audit": (_CLI + "audit:audit", "Prove or export the journal."),
    "guide": (_CLI + "guide:guide", "Print the release's guide for this instance alone."),
    "release": (_CLI + "release.group:release", "Lint, list and show releases."),
    "instance": (_CLI + "instance:instance", "Write, adopt and check instances."),
    "env": (_CLI + "env.group:env", "List, add and dismantle environments."),
    "secrets": (_CLI + "secrets.group:secrets", "Keep the secrets of an instance encrypted."),
    "merge": (
        _CLI + "merge.command:command",
        "Merge a configuration file three ways, by structure.",
    ),
    "reshape": (_CLI + "reshape.group:reshape", "Merge files that were divided or joined."),
    "files": (_CLI + "files.group:files", "Merge configuration files of hosts, by setting."),
    "images": (_CLI + "images.group:group", "Copy, verify and list container images."),
    "completion": (_CLI + "completion:completion", "Print the completion script of a shell."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="changeover")
@click.option("-i", "--instance", metavar="FOLDER", help="The instance's folder.")
def changeover(instance: str | None) -> None:
    """Upgrade self-hosted platforms: plan, apply, resume, undo.

    The usual way: check, plan --out plan.json, apply plan.json, finalize.
    """


def main() -> NoReturn:
    """Run the command line; expected failures end in one line, a remedy and their exit code."""
    guard_terminals()
    try:
        status = changeover.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        status = ended.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = 130
    except ChangeoverError as error:
        status = _complain(error)
    except BrokenPipeError:
        # Whoever read our output has gone; nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except (OSError, sqlite3.Error) as error:
        status = _complain(ChangeoverError(f"this machine: {error}", "mend it; changeover show"))
    sys.exit(status if isinstance(status, int) else 0)


def _complain(error: ChangeoverError) -> int:
    message = "\n  ".join(wrapped(error.message, 12)) if sys.stderr.isatty() else error.message
    click.echo(f"{click.style('changeover:', fg='red', bold=True)} {message}", err=True)
    if error.remedy:
        click.echo(f"  → {error.remedy}", err=True)
    return error.exit_code


if __name__ == "__main__":
    main()
