"""The first reads of Cloudcraft beside the same reads one after the other.

`python -m tests.bench.reads`, half a minute. A relay in front of the local Cloudcraft takes two
seconds for each answer. The plan needs five: parameters, list, teams, and two documents of
policies.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.aws import measure, world
from tests.bench.table import aim
from tests.support.answering import Answer, answering

SECONDS = 2.0
AIM = 0.6
WANTED = 'role: {policies: ["cloudcraft:minimal", "cloudcraft:custom"]}, read_access: [everyone]'
ONE_BY_ONE = """
import os, httpx
headers = {"Authorization": "Bearer " + os.environ["CLOUDCRAFT_API_KEY"]}
with httpx.Client(base_url=os.environ["CLOUDCRAFT_BASE_URL"], headers=headers) as http:
    for path in PATHS:
        http.get(path).raise_for_status()
"""


def main() -> int:
    """Measure and print; 1 when the aim was missed."""
    with tempfile.TemporaryDirectory() as folder, world(1, Path(folder)) as local:
        manifest = Path(folder) / "manifest.yaml"
        text = manifest.read_text(encoding="utf-8").replace(
            "profile: hub,", f"{WANTED}, profile: hub,"
        )
        manifest.write_text(text, encoding="utf-8")
        asked: list[str] = []
        headers = {"Authorization": f"Bearer {local.env['CLOUDCRAFT_API_KEY']}"}
        with httpx.Client(base_url=local.cloudcraft_url, headers=headers, trust_env=False) as http:

            def slowly(method: str, path: str, _body: bytes) -> Answer:
                asked.append(path)
                time.sleep(SECONDS)
                told = http.request(method, path)
                return told.status_code, {"Content-Type": "application/json"}, told.content

            with answering(slowly) as local.env["CLOUDCRAFT_BASE_URL"]:
                plan = [sys.executable, "-m", "cloudcraft_onboard", "plan", str(manifest), "-q"]
                ours = measure("plan, 5 reads", 1, plan, local).wall
                script = f"PATHS = {asked}\n{ONE_BY_ONE}"
                theirs = measure("5 reads", 1, [sys.executable, "-c", script], local).wall
    return (
        0 if aim("plan with five slow reads, to the reads alone in turn", ours / theirs, AIM) else 1
    )


if __name__ == "__main__":
    sys.exit(main())
