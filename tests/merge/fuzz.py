"""Coverage-guided fuzzing of one format: python -m tests.merge.fuzz FORMAT SECONDS.

libFuzzer drives the readers and the merge by way of atheris. It stops at the first traceback,
at a merge that breaks a law, beyond 256 MB or 5 s, and prints the input.
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only where make fuzz runs

with atheris.instrument_imports(include=["changeover.merge"]):
    from changeover.merge import Unreadable, merge
    from changeover.merge.catalogue import load
    from changeover.merge.encoding import decode
    from tests.merge.test_readers import check

CASES = Path(__file__).parent / "cases"


def one_input(name: str, data: bytes) -> None:
    """Read and merge up to three texts, which zero bytes separate."""
    texts = data.split(b"\0", 2)
    base, ours, theirs = (texts * 3)[:3]
    try:
        for text in texts:
            check(load(name), decode(text).text)
        merged = merge(base, ours, theirs, format=name)
        again = merge(base, base, theirs, format=name) if base else None
    except Unreadable:
        return
    if again is not None:
        assert again.text == theirs, (base, theirs, again)
    if merged.clean:
        load(name).values(decode(merged.text).text)


def seeds(name: str, folder: Path) -> None:
    """Write the cases of a format as the inputs to begin with."""
    for path in (CASES / name).glob("*.toml"):
        case = tomllib.loads(path.read_text())
        texts = [case[side].encode() for side in ("base", "ours", "theirs")]
        (folder / path.stem).write_bytes(b"\0".join(texts))


def main() -> None:
    """Fuzz one format for so many seconds."""
    name, seconds = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        seeds(name, Path(folder))
        words = [
            sys.argv[0], folder, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=256",
            "-max_len=3000", "-print_final_stats=1", "-artifact_prefix=" + folder + "/",
        ]  # fmt: skip
        atheris.Setup(words, lambda data: one_input(name, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
