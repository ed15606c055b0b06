"""moto's Organizations and StackSets, with an in-between for what moto lacks.

moto finishes every operation at once, in whole OUs, without failures, and never updates an
instance. Here, operations of service-managed stack sets take their time: each look at them gets
`pace` accounts done, by a plain stack in the account, which moto makes. The rest is moto's own.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest
from moto.cloudformation.exceptions import (
    CloudFormationError,
    StackSetNotEmpty,
    StackSetNotFoundException,
    ValidationError,
)
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, Role, iam_backends
from moto.organizations.models import organizations_backends
from moto.server import ThreadedMotoServer

from tests.support.process import HANG
from tests.support.world import PLAIN, MakeWorld, SandboxWorld

MANAGEMENT = "123456789012"
"""moto's own account, whose any credentials are."""

PATCHED = (
    "create_stack_set",
    "describe_stack_set",
    "update_stack_set",
    "create_stack_instances",
    "delete_stack_instances",
    "delete_stack_set",
    "list_stack_instances",
    "list_stack_set_operations",
    "describe_stack_set_operation",
    "list_stack_set_operation_results",
)


class InProgress(CloudFormationError):
    code = "OperationInProgressException"
    message = "Another Operation on StackSet is in progress"


class NameTaken(CloudFormationError):
    code = "NameAlreadyExistsException"
    message = "StackSet already exists"


@dataclass(kw_only=True)
class Operation:
    """One operation; accounts wait in `todo` for their turn."""

    action: str
    region: str
    todo: list[str]
    allowed_failures: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    status: str = "RUNNING"
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    def end(self, status: str) -> None:
        self.status, self.ended_at = status, datetime.now(UTC)


@dataclass(kw_only=True)
class Kept:
    """What moto doesn't keep of a stack set."""

    auto_deployment: dict[str, bool]
    units: list[str] = field(default_factory=list)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)


class InBetween:
    """What the patched calls do, and what tests set and see."""

    def __init__(self) -> None:
        self.pace = 1
        self.trusted = True
        self.delegated: set[str] = set()
        self.refusals: dict[str, str] = {}
        self.unknown: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.kept: dict[str, Kept] = {}

    @property
    def writes(self) -> list[str]:
        """The writing calls so far, in their order."""
        return [name for name, _ in self.asked if not name.startswith(("list_", "describe_"))]

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in PATCHED:
            original = getattr(CloudFormationResponse, name)
            monkeypatch.setattr(CloudFormationResponse, name, self._entry(name, original))

    def _entry(self, name: str, original: Any) -> Any:
        def call(response: CloudFormationResponse) -> Any:
            self.calls[name] += 1
            given = response._get_params()
            self.asked.append((name, given))
            self._admit(response.current_account, given.get("CallAs", "SELF"))
            return getattr(self, name)(response, given, original)

        return call

    def _admit(self, account_id: str, call_as: str) -> None:
        if not self.trusted:
            raise ValidationError(
                message="You must enable organizations access to operate a service managed stack "
                "set"
            )
        if call_as == "DELEGATED_ADMIN" and account_id not in self.delegated:
            raise ValidationError(message="Account used is not a delegated administrator")
        if call_as == "SELF" and account_id != MANAGEMENT:
            raise ValidationError(
                message="You must be the management account or delegated admin account of an "
                "organization before operating a SERVICE_MANAGED stack set"
            )

    # --- definitions ----------------------------------------------------------------------------

    def create_stack_set(self, response: Any, given: dict[str, Any], original: Any) -> Any:
        name = given["StackSetName"]
        if name in self.kept:
            raise NameTaken
        self.kept[name] = Kept(auto_deployment=given.get("AutoDeployment", {"Enabled": False}))
        return original(response)

    def describe_stack_set(self, response: Any, given: dict[str, Any], original: Any) -> Any:
        answer = original(response)
        stack_set = answer.result["StackSet"]
        kept = self.kept.get(given["StackSetName"])
        if kept:
            stack_set.auto_deployment = kept.auto_deployment
            stack_set.organizational_unit_ids = kept.units
        return answer

    def update_stack_set(self, response: Any, given: dict[str, Any], original: Any) -> Any:
        kept = self._idle(given)
        original(response)
        kept.auto_deployment = given["AutoDeployment"]
        for instance in kept.instances.values():
            instance["Status"] = "OUTDATED"
        region = next((i["Region"] for i in kept.instances.values()), "us-east-1")
        return self._begin(kept, "UPDATE", region, list(kept.instances), given)

    def delete_stack_set(self, response: Any, given: dict[str, Any], original: Any) -> Any:
        if given["StackSetName"] not in self.kept:
            raise StackSetNotFoundException(given["StackSetName"])
        kept = self._idle(given)
        if kept.instances:
            raise StackSetNotEmpty
        del self.kept[given["StackSetName"]]
        return original(response)

    # --- instances ------------------------------------------------------------------------------

    def create_stack_instances(self, _response: Any, given: dict[str, Any], _original: Any) -> Any:
        kept = self._idle(given)
        units = given["DeploymentTargets"]["OrganizationalUnitIds"]
        kept.units = list(dict.fromkeys([*kept.units, *units]))
        (region,) = given["Regions"]
        todo = []
        for account_id in self._targets(given):
            found = kept.instances.get(account_id)
            if found is None:
                kept.instances[account_id] = {
                    "Account": account_id,
                    "Region": region,
                    "Status": "OUTDATED",
                    "OrganizationalUnitId": units[0],
                }
            if found is None or found["Status"] != "CURRENT":
                todo.append(account_id)
        return self._begin(kept, "CREATE", region, todo, given)

    def delete_stack_instances(self, _response: Any, given: dict[str, Any], _original: Any) -> Any:
        kept = self._idle(given)
        (region,) = given["Regions"]
        todo = [each for each in self._targets(given) if each in kept.instances]
        return self._begin(kept, "DELETE", region, todo, given)

    def list_stack_instances(self, _response: Any, given: dict[str, Any], _original: Any) -> Any:
        instances = self.kept[given["StackSetName"]].instances
        return _page(list(instances.values()), given)

    def _targets(self, given: dict[str, Any]) -> list[str]:
        backend = organizations_backends[MANAGEMENT]["aws"]
        targets = given["DeploymentTargets"]
        units = list(targets["OrganizationalUnitIds"])
        for unit in units:
            units += [ou.id for ou in backend.ou if ou.parent_id == unit]
        members = [a.id for a in backend.accounts if a.parent_id in units and a.id != MANAGEMENT]
        if "Accounts" in targets:
            assert targets["AccountFilterType"] == "INTERSECTION"
            members = [each for each in members if each in targets["Accounts"]]
        return [each for each in members if each not in self.unknown]

    # --- operations -----------------------------------------------------------------------------

    def list_stack_set_operations(self, _r: Any, given: dict[str, Any], _original: Any) -> Any:
        kept = self.kept[given["StackSetName"]]
        if "NextToken" not in given:
            self._tick(kept, given["StackSetName"])
        return _page([_shown(each) for each in reversed(kept.operations)], given)

    def describe_stack_set_operation(self, _r: Any, given: dict[str, Any], _original: Any) -> Any:
        kept = self.kept[given["StackSetName"]]
        self._tick(kept, given["StackSetName"])
        return ActionResult({"StackSetOperation": _shown(_found(kept, given["OperationId"]))})

    def list_stack_set_operation_results(
        self, _response: Any, given: dict[str, Any], _original: Any
    ) -> Any:
        operation = _found(self.kept[given["StackSetName"]], given["OperationId"])
        waiting = dict.fromkeys(operation.todo, ("PENDING", ""))
        if operation.todo:
            waiting[operation.todo[0]] = ("RUNNING", "")
        listed = [
            {"Account": account_id, "Status": status, "StatusReason": reason}
            for account_id, (status, reason) in {**operation.results, **waiting}.items()
        ]
        return _page(listed, given)

    def elsewhere(self, name: str, account_ids: list[str], action: str = "CREATE") -> Operation:
        """Somebody else starts an operation."""
        kept = self.kept[name]
        operation = Operation(action=action, region="us-east-1", todo=account_ids)
        kept.operations.append(operation)
        return operation

    def _idle(self, given: dict[str, Any]) -> Kept:
        kept = self.kept[given["StackSetName"]]
        if any(each.status == "RUNNING" for each in kept.operations):
            raise InProgress
        return kept

    def _begin(
        self, kept: Kept, action: str, region: str, todo: list[str], given: dict[str, Any]
    ) -> ActionResult:
        percentage = given.get("OperationPreferences", {}).get("FailureTolerancePercentage", 0)
        operation = Operation(
            action=action,
            region=region,
            todo=todo,
            allowed_failures=len(todo) * int(percentage) // 100,
        )
        kept.operations.append(operation)
        return ActionResult({"OperationId": operation.id})

    def _tick(self, kept: Kept, name: str) -> None:
        operation = next((each for each in kept.operations if each.status == "RUNNING"), None)
        if operation is None:
            return
        failed = [status for status, _ in operation.results.values() if status == "FAILED"]
        for _ in range(min(self.pace, len(operation.todo))):
            account_id = operation.todo.pop(0)
            reason = self._deploy(kept, name, operation, account_id)
            operation.results[account_id] = ("FAILED", reason) if reason else ("SUCCEEDED", "")
            failed += ["FAILED"] if reason else []
            if len(failed) > operation.allowed_failures:
                operation.results |= dict.fromkeys(operation.todo, ("CANCELLED", ""))
                operation.todo.clear()
                operation.end("FAILED")
                return
        if not operation.todo and self.pace:
            operation.end("SUCCEEDED")

    def _deploy(self, kept: Kept, name: str, operation: Operation, account_id: str) -> str:
        """Bring the account's stack to the stack set's template; why it failed, or nothing."""
        instance = kept.instances.setdefault(
            account_id, {"Account": account_id, "Region": operation.region, "Status": "OUTDATED"}
        )
        reason = self.refusals.get(account_id, "")
        stacks = cloudformation_backends[account_id][operation.region]
        if not reason:
            if stacks.stacks:
                empty_role(account_id, "cloudcraft")
                stacks.delete_stack(f"StackSet-{name}")
            if operation.action == "DELETE":
                del kept.instances[account_id]
                return ""
            home = cloudformation_backends[MANAGEMENT][operation.region]
            made = home.describe_stack_set(name)
            try:
                stacks.create_stack(f"StackSet-{name}", made.template, dict(made.parameters))
            except Exception as error:  # noqa: BLE001 - what moto refuses, whatever it raises
                reason = f"ResourceLogicalId:CloudcraftRole, ResourceStatusReason:{error}"
                stacks.stacks.clear()
        failed = "INOPERABLE" if operation.action == "DELETE" else "OUTDATED"
        instance["Status"] = failed if reason else "CURRENT"
        instance["StatusReason"] = reason
        return reason


def _page(summaries: list[dict[str, Any]], given: dict[str, Any]) -> ActionResult:
    """Pages of two, so that every list has several."""
    start = int(given.get("NextToken", 0))
    page: dict[str, Any] = {"Summaries": summaries[start : start + 2]}
    if len(summaries) > start + 2:
        page["NextToken"] = str(start + 2)
    return ActionResult(page)


def _shown(operation: Operation) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": operation.begun_at,
    }
    if operation.ended_at:
        shown["EndTimestamp"] = operation.ended_at
    return shown


def _found(kept: Kept, operation_id: str) -> Operation:
    return next(each for each in kept.operations if each.id == operation_id)


def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """moto as a server on loopback; its URL. Its IAM knows one of AWS's policies and CloudFormation
    makes whole roles of templates."""
    monkeypatch.setattr(IAMBackend, "_init_aws_policies", _aws_policies)
    create = Role.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(Role, "create_from_cloudformation_json", classmethod(_whole(create)))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _aws_policies(backend: IAMBackend) -> list[ManagedPolicy]:
    """moto would load all of AWS's policies, a second and 30 MB for each account."""
    about = {
        "CreateDate": "2015-02-06T18:39:48+00:00",
        "UpdateDate": "2015-02-06T18:39:48+00:00",
        "Document": {"Version": "2012-10-17", "Statement": []},
        "Path": "/",
    }
    name = "ReadOnlyAccess"
    return [AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, about)]


def _whole(original: Any) -> Any:
    """moto's AWS::IAM::Role leaves ManagedPolicyArns out, and keeps inline documents unwritten."""

    def create(
        cls: type[Role], name: str, given: dict[str, Any], account_id: str, region: str, **more: Any
    ) -> Role:
        role: Role = original(cls, name, given, account_id, region, **more)
        backend = iam_backends[account_id]["aws"]
        for policy, document in list(role.policies.items()):
            role.policies[policy] = json.dumps(document)
        try:
            for arn in given["Properties"].get("ManagedPolicyArns", ()):
                backend.attach_role_policy(arn, role.name)
        except Exception:
            empty_role(account_id, role.name)
            backend.delete_role(role.name)
            raise
        return role

    return create


def empty_role(account_id: str, name: str) -> None:
    """Take everything off a role, as CloudFormation does before it deletes one."""
    for role in iam_backends[account_id]["aws"].get_roles():
        if role.name == name:
            role.managed_policies.clear()
            role.policies.clear()


class Company:
    """An organization at moto, and a sandbox's Cloudcraft that checks its roles.

    What moto makes of a role is made in the sandbox's AWS too, where the external ID is enforced.
    """

    def __init__(self, url: str, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.aws = InBetween()
        self._make_world = make_world
        self._monkeypatch = monkeypatch
        self._clients: list[Any] = []
        httpx.post(f"{url}/moto-api/reset", verify=PLAIN, timeout=HANG)
        self.aws.patch(monkeypatch)
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        self.root: str = organizations.list_roots()["Roots"][0]["Id"]

    def client(self, service: str, account_id: str = MANAGEMENT) -> Any:
        """A client with an account's own credentials."""
        client = boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=account_id,
            aws_secret_access_key="test",
        )
        self._clients.append(client)
        return client

    def member(self, name: str, unit: str = "") -> str:
        """A new account; its ID."""
        organizations = self.client("organizations")
        made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        account_id: str = made["CreateAccountStatus"]["AccountId"]
        if unit:
            organizations.move_account(
                AccountId=account_id, SourceParentId=self.root, DestinationParentId=unit
            )
        return account_id

    def unit(self, name: str, parent: str = "") -> str:
        """A new organizational unit; its ID."""
        organizations = self.client("organizations")
        made = organizations.create_organizational_unit(ParentId=parent or self.root, Name=name)
        unit_id: str = made["OrganizationalUnit"]["Id"]
        return unit_id

    def world(self, manifest: str, **options: Any) -> SandboxWorld:
        """A sandbox of this manifest, whose AWS is moto for the program."""
        world = self._make_world(manifest, **options)
        self._monkeypatch.setenv("AWS_ENDPOINT_URL", self.url)
        self._mirror(world)
        return world

    def make_role(self, account_id: str, *statements: dict[str, Any]) -> None:
        """Somebody makes a role of this name by hand, with this trust."""
        iam_backends[account_id]["aws"].create_role(
            role_name="cloudcraft",
            assume_role_policy_document=json.dumps(
                {"Version": "2012-10-17", "Statement": statements}
            ),
            path="/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
        )

    def drop_role(self, name: str) -> None:
        """Somebody deletes a role of the management account."""
        empty_role(MANAGEMENT, name)
        iam_backends[MANAGEMENT]["aws"].delete_role(name)

    def role(self, account_id: str, name: str = "cloudcraft") -> Role | None:
        """A role as moto has it."""
        roles = iam_backends[account_id]["aws"].get_roles()
        return next((role for role in roles if role.name == name), None)

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _mirror(self, world: SandboxWorld) -> None:
        create, delete = IAMBackend.create_role, IAMBackend.delete_role

        def create_too(backend: IAMBackend, *args: Any, **given: Any) -> Role:
            role = create(backend, *args, **given)
            if "sts:ExternalId" in role.assume_role_policy_document:
                world.iam(role.account_id).create_role(
                    RoleName=role.name,
                    Path=role.path,
                    AssumeRolePolicyDocument=role.assume_role_policy_document,
                )
            return role

        def delete_too(backend: IAMBackend, role_name: str) -> None:
            delete(backend, role_name)
            world.iam(backend.account_id).delete_role(RoleName=role_name)

        self._monkeypatch.setattr(IAMBackend, "create_role", create_too)
        self._monkeypatch.setattr(IAMBackend, "delete_role", delete_too)
