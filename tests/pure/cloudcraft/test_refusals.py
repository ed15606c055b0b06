"""What kind of no an answer is: only what a young role explains may be tried again."""

from __future__ import annotations

import pytest

from cloudcraft_onboard.cloudcraft.refusals import kind_of
from cloudcraft_onboard.errors import RefusalKind as Kind

YOUNG = (Kind.ROLE, Kind.UNCLEAR, Kind.FORBIDDEN)


@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.parametrize(
    "words",
    [
        "Unable to verify AWS account",
        "The role arn:aws:iam::111122223333:role/cloudcraft cannot be assumed",
        "AccessDenied: not authorized to perform: sts:AssumeRole",
        "Invalid external ID",
        "roleArn: the trust policy does not name Cloudcraft",
        "",
    ],
)
def test_what_may_be_a_young_role(status: int, words: str) -> None:
    assert kind_of(status, words) in YOUNG


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "words",
    ["Bad Request", "bad request.", "Unprocessable Entity", "Validation failed", "HTTP status 400"],
)
def test_words_that_say_no_more_than_the_status(status: int, words: str) -> None:
    assert kind_of(status, words) is Kind.UNCLEAR


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "Name is too long (maximum is 100 characters)", Kind.REQUEST),
        (400, "name must not exceed 64 characters", Kind.REQUEST),
        (400, "name is not valid", Kind.REQUEST),
        (422, "region is not supported", Kind.REQUEST),
        (422, "readAccess: no such team", Kind.REQUEST),
        (409, "AWS account already exists", Kind.REQUEST),
        (413, "Payload too large", Kind.REQUEST),
        (415, "", Kind.REQUEST),
        (302, "", Kind.REQUEST),
        (402, "Payment required", Kind.PLAN),
        (403, "You have reached the maximum number of accounts for your plan", Kind.PLAN),
        (403, "Your subscription has expired", Kind.PLAN),
        (400, "Account limit reached, please upgrade", Kind.PLAN),
        (403, "Forbidden: this API key is read-only", Kind.RIGHTS),
        (403, "Only an administrator can add accounts", Kind.RIGHTS),
        (403, "Adding accounts needs a Pro plan", Kind.RIGHTS),
        (403, "no", Kind.FORBIDDEN),
        (401, "Unable to verify AWS account", Kind.KEY),
        (404, "Not found", Kind.GONE),
    ],
)
def test_the_kind_of_a_refusal(status: int, words: str, kind: Kind) -> None:
    assert kind_of(status, words) is kind
