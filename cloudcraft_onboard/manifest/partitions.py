"""Which AWS partitions a manifest's accounts are in, as far as it tells. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from cloudcraft_onboard.model import Account, Via
from cloudcraft_onboard.model.arn import Arn

_REGIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
_SHOWN = 3


def mixed_partitions(accounts: Iterable[Account]) -> str:
    """A warning where accounts are in several partitions, as far as they tell; or nothing."""
    found: dict[str, list[str]] = {}
    for account in accounts:
        if account.enabled:
            found.setdefault(partition_of(account), []).append(account.name)
    if len(found) < 2:  # noqa: PLR2004 - several
        return ""
    told = "; ".join(f"{partition}: {_some(names)}" for partition, names in sorted(found.items()))
    return (
        f"the accounts are in several AWS partitions ({told}). A run talks to one Cloudcraft, and"
        " credentials don't work across partitions: keep one manifest per partition."
    )


def partition_of(account: Account) -> str:
    """By what the manifest says of the role, of the way into the account, of its region."""
    if account.role.via is Via.EXISTING or account.role.partition != "aws":
        return account.role.partition
    way_in = Arn.parse(account.assume_role.role) if account.assume_role else None
    by_region = (p for prefix, p in _REGIONS.items() if account.region.startswith(prefix))
    return way_in.partition if way_in else next(by_region, "aws")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
