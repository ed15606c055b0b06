"""How the sandbox behaves where Cloudcraft's behaviour is a setting or undocumented."""

from __future__ import annotations

from typing import Literal

from cloudcraft_onboard.frozen import frozen

EXTERNAL_ID = "4414aef4-1f35-4bbc-9b7a-5d5a1b7c0e2f"
CUSTOMER = "7a3f0c52-6d18-4e0b-8f4b-2c9d1e5a7b63"


@frozen
class Options:
    """Settings of one sandbox; times are seconds.

    Attributes:
        rate_limit: `REQUESTS/SECONDS` for the whole API.
        window: `fixed` starts with the first request, `sliding` is a log of the accepted ones,
            `bucket` refills steadily.
        headers: of a 429: `retry-after`, `retry-after-date`, or none.
        propagation_seconds: how long IAM takes to show a role, or its new trust, to Cloudcraft.
        latency: how long Cloudcraft takes over a POST besides asking AWS.
        refusal_status: of "Unable to verify AWS account"; 403 is the only documented one that fits.
        verify_updates: whether PUT assumes the role again, too.
        verified_by: whose external ID a PUT is checked against: the API key's user's, or the one
            that the registration shows.
        created_status, updated_status, deleted_status: of POST, PUT and DELETE (204 has no body).
        source: where accounts have their `source`: in lists and answers, in lists, or nowhere
            (what isn't `aws` is listed in any case).
        empty_list: how no accounts look, `{"accounts": []}` or `{}`.
        teams: `{"teams": [...]}` or just the list.
        customer_id: whose teams they are; empty: `customerId` is left out.
        blocked_regions: where a service control policy keeps Cloudcraft from assuming the role.
        external_id: the one that `iamParameters` shows.
        token_seconds: how long a token of IAM Identity Center is valid.
        portal_seconds: how long the credentials are that its portal gives.
    """

    rate_limit: str = "20/10"
    window: Literal["fixed", "sliding", "bucket"] = "sliding"
    headers: tuple[str, ...] = ("retry-after",)
    propagation_seconds: float = 5.0
    latency: float = 0.0
    refusal_status: int = 403
    verify_updates: bool = False
    verified_by: Literal["key", "registration"] = "key"
    created_status: int = 201
    updated_status: int = 200
    deleted_status: int = 200
    source: Literal["everywhere", "listed", "nowhere"] = "everywhere"
    empty_list: Literal["list", "object"] = "list"
    teams: Literal["list", "object"] = "object"
    customer_id: str = CUSTOMER
    blocked_regions: tuple[str, ...] = ()
    external_id: str = EXTERNAL_ID
    token_seconds: float = 8 * 3600.0
    portal_seconds: float = 3600.0

    @property
    def limit(self) -> tuple[int, float]:
        """Requests and seconds of the rate limit; `ValueError` when it cannot be read."""
        requests, _, seconds = self.rate_limit.partition("/")
        limit = int(requests), float(seconds)
        if min(limit) <= 0:
            raise ValueError(f"{self.rate_limit!r} is not a rate limit")
        return limit
