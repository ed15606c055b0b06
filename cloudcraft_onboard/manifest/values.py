"""The manifest's single values: types that obey a rule, and say it to editors as well."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, StrictStr
from pydantic_core import PydanticCustomError

from cloudcraft_onboard.manifest import rules

RULE = "rule"
"""The error type of a broken rule; its context has `why`."""

_T = TypeVar("_T")


def obeys(rule: Callable[[_T], str | None]) -> AfterValidator:
    """A validator that lets `rule` speak."""

    def check(value: _T) -> _T:
        why = rule(value)
        if why is not None:
            raise PydanticCustomError(RULE, "{why}", {"why": why})
        return value

    return AfterValidator(check)


def unless(rule: Callable[[Sized], str | None]) -> BeforeValidator:
    """A limit of a list or mapping, spoken of before any of its entries is looked at."""

    def check(value: Any) -> Any:
        why = rule(value) if isinstance(value, list | tuple | dict) else None
        if why is not None:
            raise PydanticCustomError(RULE, "{why}", {"why": why})
        return value

    return BeforeValidator(check)


def editor(**schema: Any) -> Any:
    """What the JSON Schema says besides the type."""
    return Field(json_schema_extra=schema)


def _within(low: int, high: int) -> AfterValidator:
    """A number between two others, both included."""

    def rule(value: int) -> str | None:
        return None if low <= value <= high else f"is out of range ({low} to {high})"

    return obeys(rule)


def exactly_one(value: int) -> str | None:
    """The version of the manifest's format."""
    return None if value == 1 else "is not supported by this version of onboard; write `1`"


Text = Annotated[StrictStr, obeys(rules.text), editor(pattern=rules.NOT_BLANK)]
AccountId = Annotated[StrictStr, obeys(rules.account_id), editor(pattern=rules.ACCOUNT_ID)]
Region = Annotated[StrictStr, obeys(rules.region), editor(pattern=rules.REGION)]
RoleName = Annotated[StrictStr, obeys(rules.role_name), editor(pattern=rules.ROLE_NAME)]
Role = Annotated[StrictStr, obeys(rules.role), editor(pattern=rules.ROLE)]
Path = Annotated[StrictStr, obeys(rules.path), editor(pattern=rules.PATH, maxLength=512)]
Policy = Annotated[StrictStr, obeys(rules.policy), editor(pattern=rules.POLICY)]
Boundary = Annotated[StrictStr, obeys(rules.boundary), editor(pattern=rules.BOUNDARY)]
Target = Annotated[StrictStr, obeys(rules.target), editor(pattern=rules.TARGET)]
StackSetName = Annotated[StrictStr, obeys(rules.stack_set_name), editor(pattern=rules.STACK_SET)]
TagKey = Annotated[
    StrictStr, obeys(rules.tag_key), editor(pattern=rules.TAG_TEXT, minLength=1, maxLength=128)
]
TagValue = Annotated[
    StrictStr, obeys(rules.tag_value), editor(pattern=rules.TAG_TEXT, maxLength=256)
]
ExternalId = Annotated[
    StrictStr,
    obeys(rules.external_id),
    editor(pattern=rules.EXTERNAL_ID, minLength=2, maxLength=1224),
]
SessionName = Annotated[
    StrictStr,
    obeys(rules.session_name),
    editor(pattern=rules.SESSION_NAME, minLength=2, maxLength=64),
]
SourceIdentity = Annotated[
    StrictStr,
    obeys(rules.source_identity),
    editor(pattern=rules.SOURCE_IDENTITY, minLength=2, maxLength=64),
]
SessionTagKey = Annotated[
    StrictStr,
    obeys(rules.session_tag_key),
    editor(pattern=rules.TAG_TEXT, minLength=1, maxLength=128),
]
PermissionSet = Annotated[
    StrictStr, obeys(rules.permission_set), editor(pattern=rules.PERMISSION_SET)
]
SelectionKey = Annotated[StrictStr, obeys(rules.selection_key), editor(pattern="^[^=]+$")]
SelectionValue = Annotated[StrictStr, obeys(rules.selection_value)]
Seconds = Annotated[StrictInt, _within(3600, 43200), editor(minimum=3600, maximum=43200)]
EntrySeconds = Annotated[StrictInt, _within(900, 43200), editor(minimum=900, maximum=43200)]
Percentage = Annotated[StrictInt, _within(1, 100), editor(minimum=1, maximum=100)]
Tolerance = Annotated[StrictInt, _within(0, 100), editor(minimum=0, maximum=100)]
Access = Annotated[
    tuple[Annotated[StrictStr, obeys(rules.access), editor(pattern=rules.ACCESS)], ...],
    obeys(rules.once),
    unless(rules.too_many_names),
    editor(maxItems=rules.MAX_ACCESS),
]
