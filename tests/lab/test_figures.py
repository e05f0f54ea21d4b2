"""The figures the demonstration ends with."""

from typing import Any

from labs.catalogage.figures import Figures, summed, table
from labs.catalogage.traffic import Failure, Report


def entry(second: int, event: str) -> dict[str, Any]:
    return {"at": f"2026-01-01T00:00:{second:02}+00:00", "event": event, "body": {}}


def test_steps_are_counted_and_the_time_is_that_of_the_journal() -> None:
    entries = [
        entry(1, "RunStarted"),
        entry(2, "StepDone"),
        entry(3, "StepFailed"),
        entry(5, "StepDone"),
    ]

    figures = summed("one", entries)

    assert (figures.steps, figures.ended - figures.began) == (2, 4.0)


def test_a_run_is_charged_with_the_requests_that_failed_while_it_ran() -> None:
    failures = tuple(Failure(at, "GET", "/", "503") for at in (9.0, 11.0, 13.5))
    report = Report(40, failures, (), 20.0)

    lines = list(table([Figures("one", 2, 10.0, 14.0)], report))

    assert lines[1].split() == ["one", "2", "4.0", "s", "2.5", "s", "2"]
    assert lines[-1] == "users: 40 requests in 20 s, 3 failed (7.5 %)"
