"""How long a plan takes by the number of accounts at a time, at AWS's usual latencies.

`python -m tests.bench.concurrency`, about 2 minutes. An AWS of canned answers, so that its own work
plays no part, takes its time for each, and throttles AssumeRole as AWS does (STS quotas: 600 a
second and account; a plan asks once for each account). The numbers of one latency are measured in
turn, three times, and the best counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

from cloudcraft_onboard import defaults
from tests.bench.aws import measure, world
from tests.bench.table import aim, say

ACCOUNTS = 400
ROUNDS = 3
LATENCIES = (0.05, 0.1, 0.2)
DEFAULT = defaults.CONCURRENCY
NUMBERS = (64, 128, 256)
STS_QUOTA = 600
MUCH_FASTER = 1.25
"""By this no other number may be faster than the default."""

HUB = "arn:aws:iam::100000000000:user/hub"
ENTERED = """<AssumeRoleResponse><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>
<Arn>arn:aws:sts::{account}:assumed-role/{role}/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
WHO = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><UserId>AIDA</UserId>"
    f"<Account>100000000000</Account><Arn>{HUB}</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
MAY = (
    "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults>"
    "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
)
ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error></ErrorResponse>"
)


def main() -> int:
    """Measure and print; 1 when another number is much faster."""
    reached = []
    with tempfile.TemporaryDirectory() as folder, world(ACCOUNTS, Path(folder)) as local:
        manifest = str(Path(folder) / "manifest.yaml")
        for latency in LATENCIES:
            seconds: dict[int, float] = {}
            with answers(latency) as local.env["AWS_ENDPOINT_URL"]:
                for number in sorted({DEFAULT, *NUMBERS}) * ROUNDS:
                    program = [sys.executable, "-m", "cloudcraft_onboard", "plan", manifest]
                    options = ["--quiet", "--output", "json", "--concurrency", str(number)]
                    name = f"{latency * 1000:g} ms, {number}"
                    wall = measure(name, ACCOUNTS, [*program, *options], local).wall
                    seconds[number] = min(wall, seconds.get(number, wall))
            best = min(seconds, key=seconds.__getitem__)
            label = f"{latency * 1000:g} ms a call: the default ({DEFAULT}) to the best ({best})"
            reached.append(aim(label, seconds[DEFAULT] / seconds[best], MUCH_FASTER))
            say("")
    return 0 if all(reached) else 1


@contextlib.contextmanager
def answers(
    latency: float, answer: Callable[[dict[str, str]], tuple[int, str]] | None = None
) -> Iterator[str]:
    """The address of an AWS of canned answers; by default, no account has the role."""
    loop = asyncio.new_event_loop()
    answer = answer or Anew().answer

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(found[1]) if found else 0)
                asked = {key: values[0] for key, values in parse_qs(body.decode()).items()}
                status, text = answer(asked)
                await asyncio.sleep(latency)
                said = f"HTTP/1.1 {status} -\r\nContent-Length: {len(text)}\r\n\r\n{text}"
                writer.write(said.encode())
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Anew:
    """An AWS in which every account can be entered, as often as STS allows, and none has the role.

    STS allows what is in a bucket that STS_QUOTA calls empty, and a second fills.
    """

    def __init__(self) -> None:
        self._left, self._at = float(STS_QUOTA), time.monotonic()

    def answer(self, asked: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        match asked["Action"]:
            case "GetCallerIdentity":
                return 200, WHO
            case "AssumeRole" if not self._lets_through():
                return 400, ERROR.format(code="Throttling", message="Rate exceeded")
            case "AssumeRole":
                *_, account, name = asked["RoleArn"].split(":")
                return 200, ENTERED.format(account=account, role=name.removeprefix("role/"))
            case "GetRole":
                return 404, ERROR.format(code="NoSuchEntity", message="The role cannot be found.")
        return 200, MAY

    def _lets_through(self) -> bool:
        now = time.monotonic()
        self._left = min(STS_QUOTA, self._left + (now - self._at) * STS_QUOTA)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


if __name__ == "__main__":
    sys.exit(main())
