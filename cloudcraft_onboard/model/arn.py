"""Amazon Resource Names: put together and read in one place (IAM User Guide, "IAM ARNs")."""

from __future__ import annotations

import re

from cloudcraft_onboard.frozen import frozen

_ARN = re.compile(r"arn:([^:\s]*):([^:\s]*):([^:\s]*):([^:\s]*):(\S+)")
_ACCOUNT_ID = re.compile("[0-9]{12}")
_PARTITION = re.compile("aws[a-z-]{0,20}")
_ROLE = re.compile(r"role/(?:[^/]+/)*[^/]+")


@frozen
class Arn:
    """`arn:PARTITION:SERVICE:REGION:ACCOUNT_ID:RESOURCE`; what IAM has is in no region.

    `account_id` is `aws` for what is AWS's own. A template's placeholders and wildcards may stand
    for any part.
    """

    partition: str
    service: str = "iam"
    region: str = ""
    account_id: str
    resource: str

    def __str__(self) -> str:
        return (
            f"arn:{self.partition}:{self.service}:{self.region}:{self.account_id}:{self.resource}"
        )

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """The ARN that `text` is, None where it is none; its parts may be anything."""
        found = _ARN.fullmatch(text)
        if found is None:
            return None
        partition, service, region, account_id, resource = found.groups()
        return cls(
            partition=partition,
            service=service,
            region=region,
            account_id=account_id,
            resource=resource,
        )

    @classmethod
    def role(cls, partition: str, account_id: str, name: str, *, path: str = "/") -> Arn:
        """A role's."""
        return cls(partition=partition, account_id=account_id, resource=f"role{path}{name}")

    @classmethod
    def policy(cls, partition: str, owner: str, name: str) -> Arn:
        """A managed policy's; `name` may have a path in front, `owner` is an account or `aws`."""
        return cls(partition=partition, account_id=owner, resource=f"policy/{name}")

    @classmethod
    def root(cls, partition: str, account_id: str) -> Arn:
        """A whole account's, as a principal."""
        return cls(partition=partition, account_id=account_id, resource="root")

    @property
    def in_account(self) -> bool:
        """Whether IAM or STS could have given it to something in an account."""
        return (
            self.service in ("iam", "sts")
            and not self.region
            and _PARTITION.fullmatch(self.partition) is not None
            and _ACCOUNT_ID.fullmatch(self.account_id) is not None
        )

    @property
    def is_role(self) -> bool:
        """Whether it is a role's."""
        return self.in_account and _ROLE.fullmatch(self.resource) is not None

    @property
    def path(self) -> str:
        """A role's or policy's path, `/` or `/team/`."""
        return self.resource[self.resource.find("/") : -len(self.name)]

    @property
    def name(self) -> str:
        """A role's or policy's name, without its path; unique in an account, in any case."""
        return self.resource.rpartition("/")[2]


def is_arn(word: str) -> bool:
    """Whether a word of the manifest that may be a name or an ARN is meant as the latter."""
    return word.startswith("arn:")


def role_arn(text: str) -> Arn | None:
    """The role's ARN that `text` is, None for anything else."""
    arn = Arn.parse(text)
    return arn if arn is not None and arn.is_role else None


def account_of(text: str) -> str | None:
    """The account in an ARN of IAM or STS, None for anything else."""
    arn = Arn.parse(text)
    return arn.account_id if arn is not None and arn.in_account else None
