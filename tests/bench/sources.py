"""What sources of credentials cost: broken ones in either order, a profile each, one portal.

`python -m tests.bench.sources`, about two minutes. Ratios of one run, on whatever machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from cloudcraft_onboard import defaults
from cloudcraft_onboard.aws.session import BotoAws
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Account, AssumeRole, Manifest, SsoRole
from cloudcraft_onboard.sandbox.options import Options
from cloudcraft_onboard.sandbox.world import start
from tests.bench.aws import ENTRY, FIRST_ID
from tests.bench.table import aim, say
from tests.support.answering import Answer, answering

BROKEN, LATENCY = 300, 0.1
MANY = 300
AT_ONCE = defaults.CONCURRENCY
ORDER_AIM = 1.2
PROFILE_AIM = 3.0
PORTAL_AIM = 1.5


def main() -> int:
    """Measure and print; 1 when an aim was missed."""
    return 0 if all([*order(), *ways()]) else 1


def order() -> Iterator[bool]:
    """All sources but one are denied, at a latency: first or last in the manifest."""

    def denied(*_: object) -> Answer:
        time.sleep(LATENCY)
        body = b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"
        return 403, {"Content-Type": "text/xml"}, body

    with answering(denied) as url, start(options=Options()) as local, settings(local.env) as folder:
        config = [f"[default]\nendpoint_url = {local.aws_url}\n"]
        config += [
            f"[profile b{number}]\naws_access_key_id = AKIA{number:016d}\n"
            f"aws_secret_access_key = x\nendpoint_url = {url}\n"
            for number in range(BROKEN)
        ]
        os.environ.pop("AWS_ENDPOINT_URL")
        os.environ["AWS_CONFIG_FILE"] = str(folder / "config")
        (folder / "config").write_text("\n".join(config), encoding="utf-8")
        broken = [Account(name=f"b{n}", profile=f"b{n}") for n in range(BROKEN)]
        good = Account(name="good")
        enter([good, *broken])  # imports and caches are nobody's
        last, _ = enter([good, *broken])
        first, _ = enter([*broken, good])
    say(f"{BROKEN} broken sources at {LATENCY} s: last {last:.1f} s, first {first:.1f} s")
    yield aim("broken sources first, to last", first / last, ORDER_AIM)


def ways() -> Iterator[bool]:
    """CPU of entering an account: from one hub, by a profile each, by one portal."""
    ids = [str(FIRST_ID + number) for number in range(MANY)]
    hub = [
        Account(name=i, account_id=i, profile="hub", assume_role=AssumeRole(role=ENTRY))
        for i in ids
    ]
    way = SsoRole(session="corp", role="Admin")
    sso = [Account(name=f"s{i}", account_id=f"3{i[1:]}", sso=way) for i in ids]
    manifest = Manifest(path="", accounts=(*hub, *sso))
    with start(manifest, options=Options()) as local, settings(local.env):
        with Path(os.environ["AWS_CONFIG_FILE"]).open("a", encoding="utf-8") as config:
            config.writelines(
                f"[profile p{i}]\nsource_profile = hub\nrole_arn = arn:aws:iam::{i}:role/{ENTRY}\n"
                for i in ids
            )
        each = [Account(name=i, account_id=i, profile=f"p{i}") for i in ids]
        enter(hub[:20])
        cost = {name: enter(some)[1] for name, some in (("hub", hub), ("each", each), ("sso", sso))}
    said = ", ".join(f"{name} {used / MANY * 1000:.1f} ms" for name, used in cost.items())
    say(f"CPU of entering an account: {said}")
    yield aim("a profile each, to one hub", cost["each"] / cost["hub"], PROFILE_AIM)
    yield aim("one portal, to one hub", cost["sso"] / cost["hub"], PORTAL_AIM)


def enter(accounts: Sequence[Account]) -> tuple[float, float]:
    """Check the sources and enter every account: wall and CPU seconds."""
    aws = BotoAws(concurrency=AT_ONCE, retries=0)

    def reach(account: Account) -> None:
        with suppress(AccountError):
            aws.reach(account)

    try:
        wall, cpu = time.monotonic(), time.process_time()
        aws.check_sources(accounts)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(reach, accounts))
        return time.monotonic() - wall, time.process_time() - cpu
    finally:
        aws.close()


@contextmanager
def settings(environment: dict[str, str]) -> Iterator[Path]:
    """This process's environment, changed, and put back."""
    kept = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment)
        try:
            yield Path(folder)
        finally:
            os.environ.clear()
            os.environ.update(kept)


if __name__ == "__main__":
    sys.exit(main())
