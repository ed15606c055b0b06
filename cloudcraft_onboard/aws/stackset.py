"""CloudFormation stack sets with service-managed permissions: AWS goes into the accounts itself.

Read and written with the credentials of the organization's management account, or of an account
that it delegated the administration of stack sets to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.hints import Where, explain, explain_instance
from cloudcraft_onboard.aws.signing import signed_by
from cloudcraft_onboard.errors import AccountError, ConcurrentChange
from cloudcraft_onboard.model import (
    MANAGED_BY,
    DesiredStackSet,
    Identity,
    ObservedStackSet,
    Organization,
    RoleSpec,
    StackInstance,
    StackOperation,
    StackSetSpec,
)
from cloudcraft_onboard.plan.documents import as_json
from cloudcraft_onboard.plan.stackset import SERVICE_MANAGED
from cloudcraft_onboard.plan.template import CAPABILITY

SERVICES = ("cloudformation", "organizations")

_DESCRIPTION = "The IAM role with which Cloudcraft reads the accounts of this organization."
_BUSY = frozenset({"RUNNING", "QUEUED", "STOPPING"})
_RACES = frozenset({"OperationInProgressException", "StaleRequestException"})
_GONE = "StackSetNotFoundException"

# Not every server at AWS_ENDPOINT_URL is a CloudFormation; the SDK then trips over the answer.
_FAULTS = (BotoCoreError, ResponseParserError)


class Sender(Protocol):
    """Sends one call."""

    def __call__(self, call: Call, **parameters: Any) -> Mapping[str, Any]:
        """The parsed answer."""


class BotoStackSets:
    """Stack sets by boto's SDK; `accounts.ports.StackSets` says what each call does."""

    def __init__(
        self,
        send: Sender,
        *,
        credentials: Credentials,
        identity: Identity,
        spec: StackSetSpec,
        where: Where,
    ) -> None:
        self._send = send
        self._credentials = credentials
        self._identity = identity
        self._spec = spec
        self._where = where
        self._call_as = {"CallAs": "SELF" if spec.admin == "self" else "DELEGATED_ADMIN"}

    @property
    def identity(self) -> Identity:
        """Whose credentials these are."""
        return self._identity

    def explain(self, role: RoleSpec, reason: str, account_id: str) -> AccountError:
        """CloudFormation's reason for an account's failed instance, and what to do about it."""
        return explain_instance(role, reason, account_id)

    def organization(self) -> Organization:
        """The organization that the account is in."""
        found = self._call(Call.DESCRIBE_ORGANIZATION)["Organization"]
        # Manifests that name OUs don't need the root, nor the permission to read it.
        named = self._spec.organizational_units
        root = named[0] if named else self._call(Call.LIST_ROOTS)["Roots"][0]["Id"]
        return Organization(management=found["MasterAccountId"], root=root)

    def observe(self, name: str) -> ObservedStackSet | None:
        """The stack set with all its instances, None where there is none."""
        try:
            found = self._cloudformation(Call.DESCRIBE_STACK_SET, StackSetName=name)["StackSet"]
            # First: an operation that ends after this has left its mark on the instances.
            operations = list(self._pages(Call.LIST_OPERATIONS, StackSetName=name))
            instances = tuple(
                _instance(each)
                for each in self._pages(Call.LIST_INSTANCES, StackSetName=name)
                if each["Region"] == self._spec.region
            )
        except ClientError as error:
            if _code(error) == _GONE:
                return None
            raise self._explained(error, Call.DESCRIBE_STACK_SET) from error
        busy: Mapping[str, Any] = next((it for it in operations if it["Status"] in _BUSY), {})
        ends = [each["EndTimestamp"] for each in operations if "EndTimestamp" in each]
        return ObservedStackSet(
            template=_template(found.get("TemplateBody", "")),
            parameters={
                each["ParameterKey"]: each.get("ParameterValue", "")
                for each in found.get("Parameters", ())
            },
            permission_model=found.get("PermissionModel", ""),
            auto_deployment=found.get("AutoDeployment", {}).get("Enabled", False),
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
            units=tuple(found.get("OrganizationalUnitIds", ())),
            instances=instances,
            busy=busy.get("Action", ""),
            busy_id=busy.get("OperationId", ""),
            busy_since=busy.get("CreationTimestamp"),
            changed_at=datetime.now(UTC) if busy else max(ends, default=None),
        )

    def create(self, desired: DesiredStackSet) -> None:
        """Make the stack set, without instances; fine if it is there already."""
        try:
            self._cloudformation(
                Call.CREATE_STACK_SET, PermissionModel=SERVICE_MANAGED, **_definition(desired)
            )
        except ClientError as error:
            if _code(error) != "NameAlreadyExistsException":
                raise self._explained(error, Call.CREATE_STACK_SET) from error

    def update(self, desired: DesiredStackSet) -> str:
        """Make template, parameters and automatic deployment as desired, in every instance."""
        return self._start(
            Call.UPDATE_STACK_SET,
            PermissionModel=SERVICE_MANAGED,
            OperationPreferences=self._preferences,
            **_definition(desired),
        )

    def fill(self, name: str, units: Sequence[str], account_ids: Sequence[str] = ()) -> str:
        """Make missing instances in the units, and those that are outdated once more."""
        return self._start(Call.CREATE_INSTANCES, **self._targets(name, units, account_ids))

    def empty(self, name: str, units: Sequence[str], account_ids: Sequence[str]) -> str:
        """Delete the instances of these accounts of the units, and their roles with them."""
        targets = self._targets(name, units, account_ids)
        return self._start(Call.DELETE_INSTANCES, RetainStacks=False, **targets)

    def delete(self, name: str) -> None:
        """Delete the stack set, which has no instance any more; fine if it is gone already."""
        try:
            self._cloudformation(Call.DELETE_STACK_SET, StackSetName=name)
        except ClientError as error:
            if _code(error) in _RACES | {"StackSetNotEmptyException"}:
                raise ConcurrentChange from error
            if _code(error) != _GONE:
                raise self._explained(error, Call.DELETE_STACK_SET) from error

    def operation(self, name: str, operation_id: str) -> StackOperation:
        """How far an operation has come."""
        which = {"StackSetName": name, "OperationId": operation_id}
        try:
            found = self._cloudformation(Call.DESCRIBE_OPERATION, **which)["StackSetOperation"]
            results = {
                each["Account"]: (each["Status"], each.get("StatusReason", ""))
                for each in self._pages(Call.LIST_RESULTS, **which)
            }
        except ClientError as error:
            raise self._explained(error, Call.DESCRIBE_OPERATION) from error
        reason = found.get("StatusReason", "")
        return StackOperation(
            status=found["Status"],
            reason=reason,
            results=results,
            since=found.get("CreationTimestamp"),
        )

    # --- inside -----------------------------------------------------------------------------

    @property
    def _preferences(self) -> dict[str, Any]:
        return {
            "MaxConcurrentPercentage": self._spec.max_concurrent_percentage,
            "FailureTolerancePercentage": self._spec.failure_tolerance_percentage,
            # By default the tolerance would bound how many accounts are worked on at a time, too.
            "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
        }

    def _targets(
        self, name: str, units: Sequence[str], account_ids: Sequence[str]
    ) -> dict[str, Any]:
        targets: dict[str, Any] = {"OrganizationalUnitIds": list(units)}
        if account_ids:
            targets |= {"AccountFilterType": "INTERSECTION", "Accounts": list(account_ids)}
        return {
            "StackSetName": name,
            "DeploymentTargets": targets,
            # IAM is global: the role needs one stack in an account.
            "Regions": [self._spec.region],
            "OperationPreferences": self._preferences,
        }

    def _start(self, call: Call, **parameters: Any) -> str:
        try:
            operation_id: str = self._cloudformation(call, **parameters)["OperationId"]
            return operation_id
        except ClientError as error:
            if _code(error) in _RACES:
                raise ConcurrentChange from error
            raise self._explained(error, call) from error

    def _pages(self, call: Call, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = self._cloudformation(call, **parameters, **token)
            yield from page["Summaries"]
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _cloudformation(self, call: Call, **parameters: Any) -> Mapping[str, Any]:
        """One call; `ClientError` is the caller's to look at."""
        try:
            with signed_by(self._credentials):
                return self._send(call, **parameters, **self._call_as)
        except _FAULTS as error:
            raise self._explained(error, call) from error

    def _call(self, call: Call) -> Mapping[str, Any]:
        try:
            with signed_by(self._credentials):
                return self._send(call)
        except (*_FAULTS, ClientError) as error:
            raise self._explained(error, call) from error

    def _explained(self, error: Exception, call: Call) -> AccountError:
        return explain(error, replace(self._where, call=call))


def _definition(desired: DesiredStackSet) -> dict[str, Any]:
    return {
        "StackSetName": desired.spec.name,
        "Description": _DESCRIPTION,
        "TemplateBody": as_json(desired.template),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in desired.parameters.items()
        ],
        "Capabilities": [CAPABILITY],
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "Tags": [{"Key": MANAGED_BY[0], "Value": MANAGED_BY[1]}],
    }


def _instance(found: Mapping[str, Any]) -> StackInstance:
    return StackInstance(
        account_id=found["Account"],
        status=found["Status"],
        reason=found.get("StatusReason", ""),
        unit=found.get("OrganizationalUnitId", ""),
    )


def _template(body: str) -> Mapping[str, Any] | None:
    """What CloudFormation gives back as it was sent; None for a template that isn't ours."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
