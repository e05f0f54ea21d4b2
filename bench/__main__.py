"""`make bench`: every figure of the docs, each beside its peer in the same run.

One alone: .venv/bin/python -m bench engine
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHES = sorted(
    file.stem
    for file in Path(__file__).parent.glob("*.py")
    if "def main(" in file.read_text() and file.stem != "__main__"
)


def main() -> int:
    """Run the benches that are named, or all; 1 where one could not be run."""
    wanted = sys.argv[1:] or BENCHES
    unknown = set(wanted) - set(BENCHES)
    if unknown:
        print(f"no bench {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}")
        return 2
    failed = []
    for name in wanted:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nnot measured: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
