"""How Cloudcraft checks an account: it assumes the role, over HTTP, from its own AWS account."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from cloudcraft_onboard.sandbox.aws import LocalAws


class AwsVerifier:
    """Cloudcraft's own credentials for the local AWS; `aim` gives it address and key."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._url = ""
        self._credentials = Credentials("", "")
        # Loopback is never reached through a proxy of the environment.
        self._http = httpx.AsyncClient(
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # no TLS: no certificates to read
            trust_env=False,
            timeout=30,
            limits=httpx.Limits(max_connections=64),
        )

    def aim(self, url: str, access_key: str, secret: str) -> None:
        """Where AWS is, and as whom to call it."""
        self._url, self._credentials = f"{url}/", Credentials(access_key, secret)

    async def assumes(
        self, role_arn: str, *, region: str, external_id: str, min_age: float
    ) -> bool:
        """Whether AWS lets Cloudcraft in, by a trust that is at least `min_age` seconds old."""
        partition, account_id = role_arn.split(":")[1], role_arn.split(":")[4]
        if self._aws.trust_age(account_id, role_arn.rpartition("/")[2]) < min_age:
            return False
        request = AWSRequest(
            "POST",
            self._url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(
                {
                    "Action": "AssumeRole",
                    "Version": "2011-06-15",
                    # MiniStack knows one partition only.
                    "RoleArn": role_arn.replace(f"arn:{partition}:", "arn:aws:", 1),
                    "RoleSessionName": "cloudcraft",
                    "ExternalId": external_id,
                }
            ),
        )
        SigV4Auth(self._credentials, "sts", region).add_auth(request)
        answer = await self._http.post(
            self._url, content=request.data, headers=dict(request.headers.items())
        )
        return answer.is_success
