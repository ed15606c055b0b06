"""One call to AWS: logged without its contents, its answer understood or the account's problem."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.sdk import Wire
from cloudcraft_onboard.aws.signing import UnexpectedAnswer, as_fault
from cloudcraft_onboard.blame import ours
from cloudcraft_onboard.blame.cause import Cause
from cloudcraft_onboard.blame.facts import Facts
from cloudcraft_onboard.console.redact import excerpt
from cloudcraft_onboard.defaults import REQUESTS
from cloudcraft_onboard.errors import AccountError
from cloudcraft_onboard.model import Identity, Stage
from cloudcraft_onboard.model.arn import Arn

_LOG = logging.getLogger(REQUESTS)

# With a process of `credential_process` or a prompt for MFA, the SDK lets these through as well.
FAULTS = (BotoCoreError, ClientError, EOFError)


def send(wire: Wire, call: Call, *, account_id: str | None, **parameters: Any) -> Mapping[str, Any]:
    """Make one call with the current credentials; log it without its contents."""
    started = time.monotonic()
    outcome = "200"
    try:
        with as_fault(UnexpectedAnswer):
            answer: Mapping[str, Any] = getattr(wire.client(call.service), call.method)(
                **parameters
            )
        return answer
    except ClientError as error:
        outcome = error.response["Error"].get("Code", "refused")
        raise
    except BotoCoreError as error:
        outcome = type(error).__name__
        raise
    finally:
        _LOG.info(
            "%s %s account %s: %s, %.3f s",
            call.service,
            call.method,
            account_id or "?",
            outcome,
            time.monotonic() - started,
        )


def identity_of(arn: str) -> Identity:
    """Whose ARN this is. Raises `ValueError` for anything else."""
    read = Arn.parse(arn)
    if read is None or not read.in_account:
        raise ValueError(f"{arn[:80]!r} is not an identity's ARN")
    return Identity(account_id=read.account_id, partition=read.partition, arn=arn)


@contextmanager
def understood(stage: Stage, call: str) -> Iterator[None]:
    """Turn an answer that is not as AWS documents it into the account's problem.

    Something between here and AWS, or in its place, may have answered.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AccountError(
            stage,
            "UnexpectedAnswer",
            excerpt(f"The answer to {call} cannot be understood: {type(error).__name__}: {error}"),
            cause=Cause(row=ours.UNLIKE_AWS, facts=Facts(operation=call)),
        ) from error
