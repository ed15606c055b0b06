"""Trust policies are compared by meaning, and nobody else's access is ever taken away silently."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.model import Trust
from cloudcraft_onboard.model.differences import clauses
from cloudcraft_onboard.plan.trust import compare_trust, trust_document

CLOUDCRAFT = "912185983511"
STRANGER = "arn:aws:iam::999999999999:root"
TRUST = Trust(account_id=CLOUDCRAFT, external_id="4414aef4", partition="aws")


def statement(**changes: Any) -> dict[str, Any]:
    """The wanted statement with some elements replaced; None takes one away."""
    (wanted,) = trust_document(TRUST)["Statement"]
    merged = {**wanted, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_wanted_document_is_the_one_of_cloudcrafts_guide() -> None:
    assert trust_document(TRUST) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::912185983511:root"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "4414aef4"}},
            }
        ],
    }


@pytest.mark.parametrize(
    "partition", ["aws", "aws-us-gov", "aws-cn", "aws-eusc"], ids=lambda name: name
)
def test_trust_names_the_principal_in_the_roles_partition(partition: str) -> None:
    trust = Trust(account_id=CLOUDCRAFT, external_id="x", partition=partition)
    document = trust_document(trust)
    principal = document["Statement"][0]["Principal"]["AWS"]
    assert principal == f"arn:{partition}:iam::{CLOUDCRAFT}:root"
    assert compare_trust(trust, document).same


@st.composite
def same_meaning(draw: st.DrawFn) -> dict[str, Any]:
    """The wanted trust in one of the spellings that IAM accepts."""

    def one_or_list(value: str) -> Any:
        return draw(st.sampled_from([value, [value], [value, value]]))

    root = f"arn:aws:iam::{CLOUDCRAFT}:root"
    principals = draw(st.sampled_from([root, CLOUDCRAFT, [root, CLOUDCRAFT]]))
    key = draw(st.sampled_from(["sts:ExternalId", "sts:externalid", "STS:EXTERNALID"]))
    action = draw(st.sampled_from(["sts:AssumeRole", "sts:assumerole", "STS:AssumeRole"]))
    elements = {
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": one_or_list(action),
        "Condition": {"StringEquals": {key: one_or_list(TRUST.external_id)}},
        **draw(st.sampled_from([{}, {"Sid": ""}, {"Sid": "Cloudcraft"}])),
    }
    shuffled = draw(st.permutations(list(elements.items())))
    said: Any = dict(shuffled)
    statements = draw(st.sampled_from([said, [said], [said, dict(said)]]))
    version = draw(st.sampled_from([{}, {"Version": "2008-10-17"}, {"Version": "2012-10-17"}]))
    return {**version, **draw(st.sampled_from([{}, {"Id": "x"}])), "Statement": statements}


@given(same_meaning())
def test_spelling_makes_no_difference(document: dict[str, Any]) -> None:
    assert compare_trust(TRUST, document).same


CONDITION = {"StringEquals": {"sts:ExternalId": "4414aef4"}}


@pytest.mark.parametrize(
    ("existing", "reason"),
    [
        (document(statement(Condition=None)), "external ID is missing"),
        (
            document(statement(Condition={"StringEquals": {"sts:ExternalId": "older"}})),
            "external ID differs",
        ),
        (
            document(statement(Condition={"StringLike": {"sts:ExternalId": "4414aef4"}})),
            "has the condition StringLike sts:externalid",
        ),
        (
            document(
                statement(Condition={**CONDITION, "Bool": {"aws:MultiFactorAuthPresent": "true"}})
            ),
            "has the condition Bool aws:multifactorauthpresent",
        ),
        (document(statement(Action="sts:*")), "allows sts:* instead of sts:AssumeRole"),
        (
            document(statement(Action=["sts:AssumeRole", "sts:TagSession"])),
            "allows sts:assumerole, sts:tagsession instead of sts:AssumeRole",
        ),
        (
            document(statement(Action=None, NotAction="sts:GetCallerIdentity")),
            "allows no action instead of sts:AssumeRole; has the element NotAction",
        ),
        (document(), "trusts nobody"),
    ],
)
def test_a_statement_for_cloudcraft_alone_is_mended_and_says_why(
    existing: dict[str, Any], reason: str
) -> None:
    finding = compare_trust(TRUST, existing)
    assert (finding.foreign, clauses(finding.differences)) == (None, reason)


@pytest.mark.parametrize(
    ("existing", "reason"),
    [
        (document(statement(Principal={"AWS": STRANGER})), "it trusts account 999999999999"),
        (
            document(statement(Principal={"AWS": [CLOUDCRAFT, STRANGER]})),
            "it also trusts account 999999999999",
        ),
        (document(statement(), statement(Principal={"AWS": STRANGER})), "it also trusts"),
        (document(statement(Principal="*")), "it trusts *"),
        (document(statement(Principal={"AWS": "*"})), "it trusts *"),
        (
            document(statement(Principal={"Service": "ec2.amazonaws.com"})),
            "it trusts ec2.amazonaws.com",
        ),
        (
            document(statement(), statement(Principal={"Federated": "cognito-identity"})),
            "it also trusts cognito-identity",
        ),
        (
            document(statement(Principal={"AWS": f"arn:aws:iam::{CLOUDCRAFT}:role/other"})),
            "it trusts arn:aws:iam::912185983511:role/other",
        ),
        (
            document(statement(Principal={"AWS": f"arn:aws-cn:iam::{CLOUDCRAFT}:user/x"})),
            "it trusts arn:aws-cn",
        ),
        (
            document(statement(Principal=None, NotPrincipal={"AWS": CLOUDCRAFT})),
            "it has a statement with NotPrincipal",
        ),
        (document(statement(), statement(Effect="Deny")), "the effect Deny"),
        (document(statement(Effect="Deny")), "the effect Deny"),
        (
            document(statement(), statement(Action="sts:TagSession")),
            "it has a second statement besides Cloudcraft's",
        ),
        (
            document(
                statement(), statement(Condition={"StringEquals": {"sts:ExternalId": "another"}})
            ),
            "several statements for Cloudcraft with different external IDs",
        ),
        (
            document(
                statement(Condition={"StringEquals": {"sts:ExternalId": ["4414aef4", "another"]}})
            ),
            "it accepts several external IDs",
        ),
        (document(statement(), "what is this?"), "the effect missing"),
    ],
)
def test_what_names_somebody_else_or_is_unknown_is_foreign(
    existing: dict[str, Any], reason: str
) -> None:
    finding = compare_trust(TRUST, existing)
    assert finding.foreign is not None
    assert reason in clauses([finding.foreign])


principals = st.sampled_from([CLOUDCRAFT, f"arn:aws:iam::{CLOUDCRAFT}:root", STRANGER, "*"])
anything = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Principal": st.one_of(
            st.fixed_dictionaries({"AWS": st.lists(principals, min_size=1, max_size=2)}),
            st.just("*"),
        ),
        "Action": st.sampled_from(["sts:AssumeRole", "sts:*"]),
    },
    optional={
        "Condition": st.fixed_dictionaries(
            {
                "StringEquals": st.dictionaries(
                    st.sampled_from(["sts:ExternalId", "aws:PrincipalArn"]),
                    st.sampled_from(["4414aef4", "another"]),
                )
            }
        )
    },
)


@given(st.lists(anything, max_size=3), st.randoms(use_true_random=False))
def test_order_never_matters_and_strangers_are_never_overlooked(
    statements: list[dict[str, Any]], chance: random.Random
) -> None:
    finding = compare_trust(TRUST, document(*statements))
    shuffled = list(statements)
    chance.shuffle(shuffled)
    again = compare_trust(TRUST, document(*shuffled))
    assert (again.same, again.foreign is None) == (finding.same, finding.foreign is None)
    named = str(statements)
    if STRANGER in named or "*'" in named.replace("sts:*", "") or "Deny" in named:
        assert finding.foreign is not None
