"""What lint found, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from changeover.model.problem import ERROR, Problem
from changeover.views.style import bad, careful, faint, good, strong


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Render each problem as `file:line:column: what`, its remedy below."""
    for problem in problems:
        mark = bad("error:") if problem.level == ERROR else careful("warning:")
        place = f"{strong(str(problem.where))}: " if str(problem.where) else ""
        yield f"{place}{mark} {problem.message}"
        if problem.remedy:
            yield f"    → {problem.remedy}"
        if problem.name:
            yield faint(f'    (to accept it: `waived: {{"{problem.name}": reason}}`)')
    errors = sum(p.level == ERROR for p in problems)
    said = f"{errors} to correct, {len(problems) - errors} to look at"
    yield bad(f"{said}.") if errors else good("Nothing to correct." if not problems else f"{said}.")
