"""The IAM work of a first run, done as one would by hand: threads that share one session."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from cloudcraft_onboard import defaults
from tests.bench.cove import TRUST

AT_ONCE = defaults.CONCURRENCY
ARN = "arn:aws:iam::{}:role/OrganizationAccountAccessRole"


def main() -> None:
    """In every account whose ID stdin names: look for the role, make it, attach its policy."""
    hub = boto3.Session(profile_name="hub")
    sts = hub.client("sts", config=Config(max_pool_connections=AT_ONCE))
    lock = threading.Lock()  # sessions make clients one at a time

    def onboard_account(account_id: str) -> None:
        entered = sts.assume_role(RoleArn=ARN.format(account_id), RoleSessionName="pool")
        keys = entered["Credentials"]
        with lock:
            iam = hub.client(
                "iam",
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
        try:
            iam.get_role(RoleName="cloudcraft")
        except iam.exceptions.NoSuchEntityException:
            iam.create_role(RoleName="cloudcraft", AssumeRolePolicyDocument=json.dumps(TRUST))
            iam.attach_role_policy(
                RoleName="cloudcraft", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
            )

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(onboard_account, sys.stdin.read().split()))


if __name__ == "__main__":
    main()
