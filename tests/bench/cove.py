"""The IAM work of a first run, done with botocove: the other side of `tests.bench.aws`."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocove import cove

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::912185983511:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "4414aef4"}},
        }
    ],
}


def onboard_account(session: Any) -> None:
    """Look for the role, make it, attach its policy."""
    iam = session.client("iam")
    try:
        iam.get_role(RoleName="cloudcraft")
    except iam.exceptions.NoSuchEntityException:
        iam.create_role(RoleName="cloudcraft", AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.attach_role_policy(
            RoleName="cloudcraft", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
        )


def main() -> None:
    """Every account of the organization, 16 at a time as `onboard` does."""
    hub = boto3.Session(profile_name="hub")
    everywhere = cove(assuming_session=hub, thread_workers=16)(onboard_account)
    outcome = everywhere()
    if outcome["Exceptions"] or outcome["FailedAssumeRole"]:
        raise SystemExit(str(outcome)[:2000])


if __name__ == "__main__":
    main()
