"""The local AWS: MiniStack with IAM enforced, seeded, and held to AWS where it is laxer.

Facts about MiniStack (1.5): an access key of 12 digits is that account's root (`signatures.py`);
`AUTH=true` makes it check other signatures, policies and trust; everything is in memory. Its
lifespan is left out: it would look for Docker containers and start daemons for other services.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlencode
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from ministack.app import app as ministack
from ministack.core.responses import get_account_id, set_request_account_id
from ministack.services import iam, organizations, sts

from cloudcraft_onboard.sandbox.portal import PATHS, LocalPortal
from cloudcraft_onboard.sandbox.shapes import PolicyJson, Seed, SeedRole, SeedUser, allow
from cloudcraft_onboard.sandbox.signatures import is_forged

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FORM = {"content-type": "application/x-www-form-urlencoded"}
JOB_FUNCTIONS = "arn:aws:iam::aws:policy/job-function/"
"""A path of AWS's own: of its policies MiniStack has none, and accounts use them by name."""

WATCHED = (b"Action=CreateRole&", b"Action=UpdateAssumeRolePolicy&", b"Action=AttachRolePolicy&")
HOUR = 3600


class LocalAws:
    """MiniStack as an ASGI app, which remembers when a role's trust was last written over HTTP."""

    def __init__(self, root_secret: str) -> None:
        self._root_secret = root_secret
        self.portal = LocalPortal()
        self._written: dict[tuple[str, str], float] = {}
        self._management = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at those that write a trust policy or attach a policy."""
        if scope["type"] == "http" and scope["path"] in PATHS:
            await self.portal(scope, receive, send)
            return
        body = await _body(receive) if scope["type"] == "http" else b""
        if scope["type"] == "http" and is_forged(scope, body, self._root_secret):
            text = "The signature does not match: it takes the secret of the account's root."
            await _refuse(403, "SignatureDoesNotMatch", text, send)
            return
        status = 0

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def watch(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        if target := _organizations_action(scope):
            await self._organization(target, scope, again, send)
            return
        if body.startswith(b"Action=AssumeRole&"):
            await _assume_role(body, scope, again, send)
            return
        if not body.startswith(b"Action=") or not any(word in body + b"&" for word in WATCHED):
            await ministack(scope, again, send)
            return
        params = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if params["Action"] == "AttachRolePolicy" and not _known(params.get("PolicyArn", "")):
            arn = params.get("PolicyArn", "")
            text = f"Policy {arn} does not exist or is not attachable."
            await _refuse(404, "NoSuchEntity", text, send)
            return
        await ministack(scope, again, watch)
        if status == 200 and params["Action"] != "AttachRolePolicy":  # noqa: PLR2004 - HTTP OK
            # MiniStack has put the caller's account into this task's context.
            self._written[get_account_id(), params["RoleName"]] = time.monotonic()

    async def _organization(self, action: str, scope: Scope, receive: Receive, send: Send) -> None:
        """MiniStack gives each account its own organization; here there is one.

        Any account may ask for it, and gets to know its management account; all else only that
        account is told.
        """
        answer = await _answer(scope, receive)
        if answer[0].get("status") == 200 and get_account_id() != self._management:  # noqa: PLR2004
            if action == "DescribeOrganization":
                set_request_account_id(self._management)
                await _send_json(200, await _organizations(action), send)
            else:
                await _not_the_management_account(send)
            return
        for message in answer:
            await send(message)

    def trust_age(self, account_id: str, role_name: str) -> float:
        """Seconds since the role's trust was written; infinite for a seeded role."""
        written = self._written.get((account_id, role_name))
        return float("inf") if written is None else time.monotonic() - written

    def reset(self) -> None:
        """Forget every account."""
        iam.reset()
        organizations.reset()
        sts.reset()
        self._written.clear()

    async def fill(self, seed: Seed) -> dict[str | None, tuple[str, str]]:
        """Make what `seed` asks for; the access key of each profile."""
        self._management = seed.management
        for wanted in seed.policies:
            for word in wanted.policies:
                await _policy_arn(wanted.account_id, word)
        for role in seed.roles:
            await _make_role(role)
        await _make_organization(seed)
        return {user.profile: await make_user(user) for user in seed.users}


async def make_user(user: SeedUser) -> tuple[str, str]:
    """An IAM user with an inline policy; its access key and secret."""
    name = {"UserName": f"onboard-{user.profile or 'default'}"[:64]}
    await _iam(user.account_id, "CreateUser", **name)
    document = json.dumps(user.policy)
    await _iam(
        user.account_id, "PutUserPolicy", **name, PolicyName="access", PolicyDocument=document
    )
    made = await _iam(user.account_id, "CreateAccessKey", **name)
    return made.findtext(".//{*}AccessKeyId", ""), made.findtext(".//{*}SecretAccessKey", "")


async def _make_role(role: SeedRole) -> None:
    name = {"RoleName": role.name}
    tags = {
        f"Tags.member.{number}.{part}": text
        for number, pair in enumerate(role.tags.items(), 1)
        for part, text in zip(("Key", "Value"), pair, strict=True)
    }
    boundary = {"PermissionsBoundary": role.boundary} if role.boundary else {}
    await _iam(
        role.account_id,
        "CreateRole",
        **name,
        Path=role.path,
        Description=role.description,
        MaxSessionDuration=str(role.max_session_duration),
        AssumeRolePolicyDocument=json.dumps(role.trust),
        **boundary,
        **tags,
    )
    for word in role.policies:
        arn = await _policy_arn(role.account_id, word)
        await _iam(role.account_id, "AttachRolePolicy", **name, PolicyArn=arn)
    for policy, document in role.inline.items():
        await _iam(
            role.account_id,
            "PutRolePolicy",
            **name,
            PolicyName=policy,
            PolicyDocument=json.dumps(document),
        )


async def _policy_arn(account_id: str, word: str) -> str:
    """The ARN that a manifest's word means; a policy that nobody has is made in the account."""
    set_request_account_id(account_id)
    arn = word if word.startswith("arn:") else f"arn:aws:iam::aws:policy/{word}"
    if arn.startswith(JOB_FUNCTIONS) and not iam.policy_known(arn):
        iam._autovivify_aws_managed_policy(arn)  # noqa: SLF001 - nothing public adds one
    if iam.policy_known(arn):
        return arn
    own = word if word.startswith("arn:") else f"arn:aws:iam::{account_id}:policy/{word}"
    owner = own.split(":")[4]
    if owner == "aws" or iam.policy_known(own, owner):
        return own
    path, _, name = own.partition(":policy")[2].rpartition("/")
    document: PolicyJson = allow("*")
    await _iam(
        owner, "CreatePolicy", PolicyName=name, Path=f"{path}/", PolicyDocument=json.dumps(document)
    )
    return own


async def _make_organization(seed: Seed) -> None:
    """Add the manifest's accounts to the organization (CreateAccount would invent their IDs)."""
    set_request_account_id(seed.management)
    root = (await _organizations("ListRoots"))["Roots"][0]
    units = await _make_units(root["Id"], seed)
    state = organizations.get_state()
    for member in seed.members:
        organization = root["Arn"].split("/")[1]
        known = state["accounts"].get_scoped(seed.management, None, member.account_id, {})
        state["accounts"].set_scoped(
            seed.management,
            None,
            member.account_id,
            {
                "Id": member.account_id,
                "Arn": f"arn:aws:organizations::{seed.management}:account/{organization}"
                f"/{member.account_id}",
                "Email": f"aws+{member.account_id}@example.com",
                "JoinedMethod": "CREATED",
                "JoinedTimestamp": int(time.time()),
                "Path": "/",
                **known,
                "Status": member.status,
                "_ParentId": units[member.path],
                "Name": member.name,
            },
        )
    organizations.load_persisted_state(state)


async def _make_units(root: str, seed: Seed) -> dict[tuple[str, ...], str]:
    """The members' OUs, those above in front: path to ID."""
    paths = {m.path[:depth] for m in seed.members for depth in range(1, len(m.path) + 1)}
    units: dict[tuple[str, ...], str] = {(): root}
    for path in sorted(paths, key=lambda path: (len(path), path)):
        parent = units[path[:-1]]
        made = await _organizations("CreateOrganizationalUnit", ParentId=parent, Name=path[-1])
        units[path] = made["OrganizationalUnit"]["Id"]
    return units


async def _organizations(action: str, **params: str) -> dict[str, Any]:
    """Call MiniStack's Organizations in this process, as the account that was set last."""
    headers = {"x-amz-target": f"AWSOrganizationsV20161128.{action}"}
    body = json.dumps(params).encode()
    _, _, answer = await organizations.handle_request("POST", "/", headers, body, {})
    parsed: dict[str, Any] = json.loads(answer)
    return parsed


async def _iam(account_id: str, action: str, **params: str) -> ET.Element:
    """Call MiniStack's IAM in this process, as the account itself: no signature, no check."""
    set_request_account_id(account_id)
    body = urlencode({"Action": action, **params}).encode()
    status, _, answer = await iam.handle_request("POST", "/", FORM, body, {})
    if status != 200:  # noqa: PLR2004 - HTTP OK
        raise ValueError(f"{action} in {account_id}: {answer!r}")
    return ET.fromstring(answer)  # noqa: S314 - made in this process


def _known(arn: str) -> bool:
    """Whether the policy exists, as AWS checks it when one is attached and MiniStack doesn't."""
    owner = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 - an ARN's parts
    return bool(iam.policy_known(arn, owner))


def _organizations_action(scope: Scope) -> str:
    """Which call of AWS Organizations it is; empty for any other."""
    target = dict(scope.get("headers") or ()).get(b"x-amz-target", b"").decode("latin-1")
    service, _, action = target.partition(".")
    return action if service.startswith("AWSOrganizations") else ""


async def _not_the_management_account(send: Send) -> None:
    """As AWS answers a member that is no delegated administrator."""
    text = "You don't have permissions to access this resource."
    await _send_json(400, {"__type": "AccessDeniedException", "Message": text}, send)


async def _assume_role(body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    """AWS names the caller whom it denies a role; MiniStack doesn't where there is no such role."""
    params = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    if "DurationSeconds" in params and (why := _too_long(scope, params)):
        await _refuse(400, "ValidationError", why, send)
        return
    nobody, somebody = b"User: is not authorized", b"User: %s is not authorized"
    answer = await _answer(scope, receive)
    body = b"".join(message.get("body", b"") for message in answer)
    if nobody not in body:
        for message in answer:
            await send(message)
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    asked = b"Action=GetCallerIdentity&Version=2011-06-15"
    _, _, told = await sts.handle_request("POST", "/", headers, asked, {})
    arn = ET.fromstring(told).findtext(".//{*}Arn", "")  # noqa: S314 - made in this process
    body = body.replace(nobody, somebody % arn.encode())
    length = (b"content-length", str(len(body)).encode())
    kept = [pair for pair in answer[0]["headers"] if pair[0].lower() != length[0]]
    await send({**answer[0], "headers": [*kept, length]})
    await send({"type": "http.response.body", "body": body})


async def _answer(scope: Scope, receive: Receive) -> list[Message]:
    """MiniStack's answer, not sent yet."""
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    await ministack(scope, receive, keep)
    return answer


async def _send_json(status: int, content: Any, send: Send) -> None:
    headers = [(b"content-type", b"application/x-amz-json-1.1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


def _too_long(scope: Scope, params: dict[str, str]) -> str:
    """Why a role's session may not last as long as is asked for, which MiniStack doesn't check."""
    asked = int(params["DurationSeconds"])
    headers = dict(scope.get("headers") or ())
    if asked > HOUR and b"Credential=ASIA" in headers.get(b"authorization", b""):
        return (
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by"
            " role chaining"
        )
    arn = params.get("RoleArn", "").split(":")
    if len(arn) < 6:  # noqa: PLR2004 - an ARN's parts
        return ""
    role = iam._roles.get_scoped(arn[4], None, arn[5].rpartition("/")[2])  # noqa: SLF001 - nothing public tells
    if role is not None and asked > int(role.get("MaxSessionDuration") or HOUR):
        return "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    return ""


async def _refuse(status: int, code: str, text: str, send: Send) -> None:
    body = (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
        "<RequestId>sandbox</RequestId></ErrorResponse>"
    ).encode()
    headers = [(b"content-type", b"text/xml"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
