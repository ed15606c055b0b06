"""An AWS organization on a moto server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.support.world import PLAIN

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

MANAGEMENT = "123456789012"


@contextmanager
def serving() -> Iterator[ThreadedMotoServer]:
    """A moto server on loopback."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import, for few tests

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Organization:
    """The organization of the account that `environment` has credentials for."""

    def __init__(self, server: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch) -> None:
        host, port = server.get_host_and_port()
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        httpx.post(f"http://{host}:{port}/moto-api/reset", verify=PLAIN).raise_for_status()
        self.client = boto3.Session().client("organizations")
        self._root = ""

    def create(self) -> str:
        """Make it; the root's ID."""
        self.client.create_organization(FeatureSet="ALL")
        self._root = str(self.client.list_roots()["Roots"][0]["Id"])
        return self._root

    def unit(self, name: str, parent: str) -> str:
        """An OU below `parent`; its ID."""
        made = self.client.create_organizational_unit(ParentId=parent, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def account(self, name: str, parent: str | None = None) -> str:
        """An account, moved to `parent` where one is given; its ID."""
        made = self.client.create_account(AccountName=name, Email=f"{name}@example.com")
        account_id = str(made["CreateAccountStatus"]["AccountId"])
        if parent is not None:
            self.client.move_account(
                AccountId=account_id, SourceParentId=self._root, DestinationParentId=parent
            )
        return account_id

    def session(self, account_id: str) -> dict[str, str]:
        """Credentials in an account, as keys of the AWS config."""
        client = boto3.Session().client("sts")
        role = f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole"
        made = client.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        client.close()
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }


class Throttling:
    """Answers for Organizations: too many requests, `times` times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, request: Any, **_: Any) -> AWSResponse | None:
        if self.times <= 0:
            return None
        self.times -= 1
        body = b'{"__type": "TooManyRequestsException", "Message": "slow down"}'
        raw = _Body(body)
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/x-amz-json-1.1"
        return AWSResponse(request.url, 400, headers, raw)


class _Body:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self.body]
