"""What kind of no an answer is, by its status and its words. Pure.

Cloudcraft documents 401, 403 and 404 for accounts, and neither statuses nor texts for a role that
it cannot assume ("Unable to verify AWS account" is what users see): 400, 403 and 422 are expected.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from cloudcraft_onboard.errors import RefusalKind

_ROLE = re.compile(r"verif|assum|role.?arn|external.?id|trust", re.IGNORECASE)
_PLAN = re.compile(
    r"maximum|limit|quota|exceed|upgrade|subscri|billing|payment|trial|licen[cs]e|your plan",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"read.?only|permission|not allowed|forbidden|unauthori[sz]ed|administrator|owner|scope|plan",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"too long|length|characters", re.IGNORECASE)
# What says no more than the status does.
_NO_WORDS = re.compile(
    r"(http status|error|bad request|invalid( request)?|unprocessable( entity| content)?"
    r"|(validation|request|registration|operation) (failed|error)|failed|4[0-9]{2}|[\s.:!-])*",
    re.IGNORECASE,
)
_OF_A_ROLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)


_BY_STATUS: dict[int, RefusalKind] = {
    HTTPStatus.UNAUTHORIZED: RefusalKind.KEY,
    HTTPStatus.NOT_FOUND: RefusalKind.GONE,
    HTTPStatus.PAYMENT_REQUIRED: RefusalKind.PLAN,
}


def kind_of(status: int, words: str) -> RefusalKind:
    """The kind of a refusal: a 3xx, or a 4xx that is neither 408 nor 429. `words` may be empty."""
    if status not in _OF_A_ROLE:
        return _BY_STATUS.get(status, RefusalKind.REQUEST)
    if _PLAN.search(words) and not _LENGTH.search(words):
        return RefusalKind.PLAN
    if _ROLE.search(words):
        return RefusalKind.ROLE
    if status == HTTPStatus.FORBIDDEN:
        return RefusalKind.RIGHTS if _KEY.search(words) else RefusalKind.FORBIDDEN
    return RefusalKind.UNCLEAR if _NO_WORDS.fullmatch(words) else RefusalKind.REQUEST
