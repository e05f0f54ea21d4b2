"""Merges series of references with random local edits, beside `git merge-file` and mergiraf.

Every outcome is judged setting by setting by an oracle that shares no code with the product.
Run: python -m bench.merge [--edits 3] [--seed 1] [--debian]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from bench.merge_debian import debian_series
from bench.merge_oracle import READERS, changed, flatten, verdict
from bench.merge_series import Reference, local_edits, written_series
from changeover.merge import Unreadable, merge

Outcome = tuple[str | None, bool]
"""The merged text (None: the tool failed) and whether it reported a conflict."""


@dataclass(frozen=True)
class Triple:
    """One question: what it is called, its format, its three texts."""

    name: str
    form: str
    base: str
    ours: str
    theirs: str


def triples(series: list[list[Reference]], edits: int, seed: int) -> Iterator[Triple]:
    """Make locally edited copies of each reference, to be merged with the next one."""
    random = Random(seed)  # noqa: S311 - reproducible, not secret
    for steps in series:
        for old, new in pairwise(steps):
            for _ in range(edits):
                ours = local_edits(old, random, random.randrange(1, 7))
                if ours is not None and ours != old.text:
                    yield Triple(old.name, old.form, old.text, ours, new.text)


def by_changeover(triple: Triple, folder: Path) -> Outcome:
    """Merge in this process."""
    try:
        outcome = merge(
            triple.base.encode(), triple.ours.encode(), triple.theirs.encode(), name=triple.name
        )
    except Unreadable:
        return None, True
    return outcome.text.decode(), not outcome.clean


def by_program(triple: Triple, folder: Path, words: list[str]) -> Outcome:
    """Merge by a program that takes three files and prints the result."""
    suffix = Path(triple.name).suffix or Path(triple.name).name
    paths = []
    for side, text in (("ours", triple.ours), ("base", triple.base), ("theirs", triple.theirs)):
        path = folder / f"{side}{suffix}"
        path.write_text(text)
        paths.append(str(path))
    if words[0] == "mergiraf":
        paths = [paths[1], paths[0], paths[2]]
    done = subprocess.run([*words, *paths], capture_output=True, text=True, check=False)
    return done.stdout, done.returncode != 0


def by_git(triple: Triple, folder: Path) -> Outcome:
    """Merge by lines, as git does."""
    return by_program(triple, folder, ["git", "merge-file", "-p", "--diff3"])


def by_mergiraf(triple: Triple, folder: Path) -> Outcome:
    """Merge by mergiraf."""
    return by_program(triple, folder, ["mergiraf", "merge"])


def judge(triple: Triple, outcome: Outcome, score: Counter[str]) -> None:
    """Count what an outcome got wrong."""
    read = READERS[triple.form]
    base, ours, theirs = (flatten(read(t)) for t in (triple.base, triple.ours, triple.theirs))
    truth = verdict(base, ours, theirs)
    text, conflicted = outcome
    score[{"conflict": "true conflicts", "none": "without conflict"}.get(truth, truth)] += 1
    if truth == "conflict":
        score["missed"] += not conflicted
    elif conflicted:
        score["false conflicts"] += truth == "none"
    elif truth == "none":
        try:
            got = flatten(read(text or ""))
        except Exception:  # noqa: BLE001 - whatever the parser raises, the file is broken
            score["broken"] += 1
        else:
            score["edits lost"] += any(got.get(p) != ours.get(p) for p in changed(base, ours))
            score["defaults lost"] += any(
                got.get(p) != theirs.get(p) for p in changed(base, theirs)
            )


def compare(questions: list[Triple]) -> dict[str, Counter[str]]:
    """Let every tool merge every question, one after the other, and count."""
    tools = {"changeover": by_changeover, "git merge-file": by_git}
    if shutil.which("mergiraf"):
        tools["mergiraf"] = by_mergiraf
    scores: dict[str, Counter[str]] = {name: Counter() for name in tools}
    with tempfile.TemporaryDirectory() as folder:
        for question in questions:
            for name, tool in tools.items():
                begun = time.perf_counter()
                outcome = tool(question, Path(folder))
                scores[name]["microseconds"] += int((time.perf_counter() - begun) * 1e6)
                judge(question, outcome, scores[name])
    return scores


def report(title: str, questions: list[Triple]) -> None:
    """Print one table and the ratio of false conflicts."""
    scores = compare(questions)
    columns = ["without conflict", "false conflicts", "edits lost", "defaults lost", "broken",
               "true conflicts", "missed"]  # fmt: skip
    print(f"\n{title}: {len(questions)} triples")
    for name, score in scores.items():
        row = "  ".join(f"{column} {score[column]}" for column in columns)
        print(f"  {name:15} {row}  {score['microseconds'] / max(len(questions), 1) / 1000:.1f} ms")
    git, own = scores["git merge-file"]["false conflicts"], scores["changeover"]["false conflicts"]
    print(f"  false conflicts: {own}/{git} of git's (goal: at most 1/40)")


def speed() -> None:
    """Print the times the goals name."""
    document = "".join(
        f"s{n}:\n  image: x:{n}\n  restart: always\n  list: [a, b]\n" for n in range(360)
    )
    keys = "".join(f"k{n}: {n}\n" for n in range(2000))
    for title, text, goal in (("20 KB", document, 20), ("2,000 keys", keys, 200)):
        ours, theirs = (
            text.replace(": 7\n", ": 8\n", 1),
            text.replace(":9\n", ":10\n", 1) + "z: 1\n",
        )
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            merge(text.encode(), ours.encode(), theirs.encode(), name="x.yaml")
            times.append((time.perf_counter() - begun) * 1000)
        print(f"{title}: {min(times):.0f} ms, median {sorted(times)[4]:.0f} (goal {goal})")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text("a: 1\n")
        words = [sys.executable, "-m", "changeover.cli.merge.command", *[str(path)] * 3]
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            subprocess.run(words, capture_output=True, check=True)
            times.append((time.perf_counter() - begun) * 1000)
    print(f"the command: {min(times):.0f} ms, median {sorted(times)[4]:.0f} (goal 200)")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=4, help="edited copies of each reference")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--debian", action="store_true", help="fetch packages of Debian 11, 12, 13")
    told = parser.parse_args()
    written = list(triples(written_series(told.seed), told.edits, told.seed))
    report("written series", written)
    for form in sorted({question.form for question in written}):
        report(f"  {form}", [question for question in written if question.form == form])
    if told.debian:
        own = list(triples(debian_series(), told.edits, told.seed))
        report("Debian's own files", own)
        for form in sorted({question.form for question in own}):
            report(f"  {form}", [question for question in own if question.form == form])
    speed()


if __name__ == "__main__":
    main()
