"""One type puts ARNs together and reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model.arn import Arn, account_of, is_arn, role_arn

ID = "111122223333"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (Arn.role("aws", ID, "cloudcraft"), f"arn:aws:iam::{ID}:role/cloudcraft"),
        (Arn.role("aws-cn", ID, "x", path="/a/b/"), f"arn:aws-cn:iam::{ID}:role/a/b/x"),
        (
            Arn.policy("aws", "aws", "job-function/ViewOnlyAccess"),
            "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        ),
        (Arn.root("aws-us-gov", ID), f"arn:aws-us-gov:iam::{ID}:root"),
        (
            Arn.policy("${AWS::Partition}", "${AWS::AccountId}", "Edge"),
            "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/Edge",
        ),
        (
            Arn(partition="aws", service="sts", account_id="*", resource="x"),
            "arn:aws:sts::*:x",
        ),
    ],
)
def test_an_arn_is_put_together(made: Arn, text: str) -> None:
    assert str(made) == text


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        (f"arn:aws:iam::{ID}:role/cloudcraft", "/", "cloudcraft"),
        (f"arn:aws-eusc:iam::{ID}:role/team/x/y", "/team/x/", "y"),
    ],
)
def test_a_role_is_read(text: str, path: str, name: str) -> None:
    arn = role_arn(text)
    assert arn is not None
    assert (arn.path, arn.name, arn.account_id, str(arn)) == (path, name, ID, text)
    assert account_of(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cloudcraft",
        "arn:aws:iam::1:role/x",
        f"arn:aws:iam::{ID}:role/",
        f"arn:aws:iam::{ID}:role/a b",
        f"arn:aws:iam::{ID}:role/x\n",
        f"arn:aws:iam::{ID}:user/x",
        f"arn:aws:iam:us-east-1:{ID}:role/x",
        f"arn:aws:s3::{ID}:role/x",
        f"arn:other:iam::{ID}:role/x",
        f"arn:aws:iam::{ID}:role",
        "arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/x",
        f" arn:aws:iam::{ID}:role/x",
    ],
)
def test_what_is_no_role_is_none(text: str) -> None:
    assert role_arn(text) is None


@pytest.mark.parametrize(
    ("text", "account_id"),
    [
        (f"arn:aws:sts::{ID}:assumed-role/Admin/me", ID),
        (f"arn:aws:iam::{ID}:root", ID),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
        ("arn:aws:s3:::bucket", None),
        ("Admin", None),
    ],
)
def test_the_account_of_what_is_in_one(text: str, account_id: str | None) -> None:
    assert account_of(text) == account_id


@given(st.text(max_size=60) | st.from_regex(r"arn(:[a-z0-9*/-]{0,8}){4,7}", fullmatch=True))
def test_whatever_is_read_is_written_as_it_was(text: str) -> None:
    arn = Arn.parse(text)
    if arn is not None:
        assert is_arn(text)
        assert str(arn) == text
