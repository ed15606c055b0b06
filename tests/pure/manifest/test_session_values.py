"""What `sts:AssumeRole` takes: the rule that speaks and the pattern of editors agree."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import regress
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.manifest import rules

TEXTS = st.lists(
    st.sampled_from([*"aZ9_+=,.@:/-{} é\n#", "{account_id}", "{id}", "aws:", "x" * 40]), max_size=4
).map("".join)


@pytest.mark.parametrize(
    ("rule", "pattern", "longest"),
    [
        (rules.external_id, rules.EXTERNAL_ID, 1224),
        (rules.session_name, rules.SESSION_NAME, 64),
        (rules.source_identity, rules.SOURCE_IDENTITY, 64),
    ],
)
@given(value=TEXTS)
@example(value="x" * 64)
@example(value="x" * 65)
@example(value="x" * 1224)
@example(value="x" * 1225)
@example(value="{account_id}")
@example(value="AWS:x")
@example(value="x\n")
def test_rule_and_pattern_agree(
    rule: Callable[[str], str | None], pattern: str, longest: int, value: str
) -> None:
    fits = regress.Regex(pattern, "u").find(value) is not None and 2 <= len(value) <= longest
    why = rule(value)
    assert (why is None) == fits, (value, why)


@given(value=st.text(max_size=40) | TEXTS)
@example(value="x" * 32)
@example(value="x" * 33)
def test_a_permission_set_is_named_as_iam_identity_center_has_it(value: str) -> None:
    fits = regress.Regex(rules.PERMISSION_SET, "u").find(value) is not None
    reserved = value.startswith(("AWSReservedSSO_", "arn:"))
    assert (rules.permission_set(value) is None) == (fits and not reserved)


def test_the_place_of_an_account_is_as_long_as_its_id() -> None:
    assert len(rules.HERE) == 12, "or the lengths would have to be counted afterwards"
    assert re.fullmatch("[0-9]{12}", "0" * len(rules.HERE))
