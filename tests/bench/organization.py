"""What reading an organization takes, beside the plain `aws organizations list-accounts`.

`python -m tests.bench.organization`, about a minute. A local server answers each call after 100 ms,
as AWS does; `--throttled` lets through so few ListAccountsForParent as AWS is said to, about one a
second. Both sides are processes of their own; the rival lists the accounts alone, without OUs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.bench.table import aim, say

AIM = 1.3
PAGE = 20
ROOT = "r-ab12"
RIVAL = """
import boto3
pages = boto3.client("organizations", region_name="us-east-1").get_paginator("list_accounts")
print(sum(len(page["Accounts"]) for page in pages.paginate()))
"""


class Company:
    """So many accounts in so many OUs below the root; `paths`: AWS tells each account's path."""

    def __init__(self, accounts: int, units: int, *, paths: bool, throttled: bool) -> None:
        self.units = [f"ou-ab12-{number:08d}" for number in range(units)]
        self.accounts: list[dict[str, Any]] = [
            {"Id": f"{10**11 + n}", "Name": f"A{n}", "Email": f"{n}@example.com", "State": "ACTIVE"}
            for n in range(accounts)
        ]
        if paths:
            for n, account in enumerate(self.accounts):
                unit = self.units[n % units]
                account["Paths"] = [f"o-a/{ROOT}/{unit}/{account['Id']}/"]
        self._throttled = throttled
        self._lock = threading.Lock()
        self._next = 0.0

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        if operation == "DescribeOrganization":
            return 200, {"Organization": {"Id": "o-a", "MasterAccountId": self.accounts[0]["Id"]}}
        if operation == "ListRoots":
            return 200, {"Roots": [{"Id": ROOT, "Name": "Root"}]}
        if operation == "ListOrganizationalUnitsForParent":
            below = self.units if asked["ParentId"] == ROOT else []
            return 200, self._page(
                "OrganizationalUnits", [{"Id": it, "Name": it} for it in below], asked
            )
        if operation == "ListAccounts":
            return 200, self._page("Accounts", self.accounts, asked)
        if self._throttled and not self._admitted():
            return 400, {"__type": "TooManyRequestsException", "Message": "slow down"}
        parent = asked["ParentId"]
        number = self.units.index(parent) if parent in self.units else None
        inside = [] if number is None else self.accounts[number :: len(self.units)]
        return 200, self._page("Accounts", inside, asked)

    def _page(self, key: str, items: list[Any], asked: dict[str, Any]) -> dict[str, Any]:
        start = int(asked.get("NextToken") or 0)
        more = {"NextToken": str(start + PAGE)} if start + PAGE < len(items) else {}
        return {key: items[start : start + PAGE], **more}

    def _admitted(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + 1
            return True


@contextmanager
def served(company: Company, delay: float) -> Iterator[str]:
    """The URL of a server for this company."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
            time.sleep(delay)
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, answer = company.answer(operation, asked)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def took(url: str, *command: str) -> tuple[float, str]:
    """Seconds of a process, and what it said on stderr."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=True
    )
    return time.monotonic() - started, done.stderr


def main(given: Sequence[str] | None = None) -> int:
    """Measure and print a table; 1 when the aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--delay", type=float, default=0.1)
    parser.add_argument("--throttled", action="store_true")
    chosen = parser.parse_args(given)
    reached = []
    for paths in (False, True):
        company = Company(chosen.accounts, chosen.units, paths=paths, throttled=chosen.throttled)
        with served(company, chosen.delay) as url:
            rival, _ = took(url, "-c", RIVAL)
            ours, said = took(url, "-m", "cloudcraft_onboard", "init", "--organization")
        words = sum(line.startswith("Reading: ") for line in said.splitlines())
        told = "told by ListAccounts" if paths else "read OU by OU"
        say(
            f"{chosen.accounts} accounts in {chosen.units} OUs, {told}: {ours:.1f} s, plain list"
            f" {rival:.1f} s; {words} words while it waited"
        )
        reached.append(aim(f"init of an organization {told}, to the list", ours / rival, AIM))
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
