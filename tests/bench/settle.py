"""What `--settle` gains by learning: new accounts whose roles AWS knows everywhere after 3 s.

`python -m tests.bench.settle`, about half a minute. Beside it the same run, told to wait for the
10 s that a role takes at most.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.aws import measure, world
from tests.bench.table import aim

ACCOUNTS = 15
SPREAD = 3.0
AIM = 0.6


def main() -> int:
    """Measure and print; 1 when the aim was missed."""
    return 0 if aim("new accounts, --settle learned, to 10", took() / took("10"), AIM) else 1


def took(settle: str | None = None) -> float:
    """Seconds of a first run."""
    with (
        tempfile.TemporaryDirectory() as folder,
        world(ACCOUNTS, Path(folder), spread=SPREAD) as it,
    ):
        command = ["-m", "cloudcraft_onboard", "run", str(Path(folder) / "manifest.yaml"), "-q"]
        given = ["--settle", settle] if settle else []
        name = f"run, settle {settle or 'learned'}"
        return measure(name, ACCOUNTS, [sys.executable, *command, *given], it).wall


if __name__ == "__main__":
    sys.exit(main())
