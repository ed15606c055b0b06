"""What the live view costs where every account fails for a cause of its own.

`python -m tests.bench.view`, a minute. The same plan at a terminal and without one: CPU.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.aws import measure, world
from tests.bench.concurrency import ERROR, WHO, answers
from tests.bench.table import aim

ACCOUNTS = 1000
AIM = 1.25
# A terminal of its own for a program: no tool for that is everywhere.
TERMINAL = """
import os, pty, sys
def read(terminal):
    return os.read(terminal, 65536)
sys.stdin = open(os.devnull)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read, lambda _: b"")))
"""


def main() -> int:
    """Measure and print; 1 when the aim was missed."""
    with tempfile.TemporaryDirectory() as folder, world(ACCOUNTS, Path(folder)) as local:
        local.env |= {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
        manifest = str(Path(folder) / "manifest.yaml")
        plan = [sys.executable, "-m", "cloudcraft_onboard", "plan", manifest, "-o", "json"]
        with answers(0.1, failing) as local.env["AWS_ENDPOINT_URL"]:
            without = measure("plan, all fail", ACCOUNTS, plan, local, code=1)
            at_terminal = [sys.executable, "-c", TERMINAL, *plan]
            shown = measure("plan at a terminal", ACCOUNTS, at_terminal, local, code=1)
    label = "CPU of a plan at a terminal, each account another error, to one without"
    return 0 if aim(label, shown.cpu / without.cpu, AIM) else 1


def failing(asked: dict[str, str]) -> tuple[int, str]:
    """Every account is refused by a code of its own."""
    if asked["Action"] == "GetCallerIdentity":
        return 200, WHO
    account = asked["RoleArn"].split(":")[4]
    return 400, ERROR.format(code=f"Refused{account}", message=f"Not today, {account}.")


if __name__ == "__main__":
    sys.exit(main())
