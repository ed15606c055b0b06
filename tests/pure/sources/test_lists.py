"""Lists that exist already: recognised by what is in them, every row an entry or an error."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.errors import ManifestError
from cloudcraft_onboard.manifest.source import decode
from cloudcraft_onboard.manifest.write import clean
from cloudcraft_onboard.sources import columns, formats, rows
from cloudcraft_onboard.sources.found import Candidate
from cloudcraft_onboard.sources.rows import Reading


def read(text: str | bytes) -> tuple[str, Reading]:
    """What a file is, and what its rows say."""
    source = decode("list", text.encode() if isinstance(text, str) else text)
    found = formats.recognised(source)
    told = rows.read(found.rows, "list", source.complain)
    source.settle()
    told.said = [*found.said, *told.said]
    return found.what, told


def one(text: str) -> Candidate:
    (candidate,) = read(text)[1].candidates
    return candidate


def errors(text: str) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        read(text)
    return [f"{it.line}: {it.message}" for it in caught.value.problems]


# --- CSV -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n# accounts\n", "sep=;\n"])
def test_a_csv_with_a_header(delimiter: str, end: str, start: str) -> None:
    lines = [
        ["Account ID", "Account Name", "OU", "Cost Center", "AWS Region"],
        ["012345678901", '"Prod, ""EU"";\t| x"', "Root/Prod", "4711", "eu-west-1"],
        [],
        ["111122223333", '"Two\nlines"', "", "", ""],
        ["222233334444"],
    ]
    text = start + "".join(delimiter.join(line) + end for line in lines)
    what, told = read(text)
    assert what == "a CSV"
    assert [(c.account_id, c.name) for c in told.candidates] == [
        ("012345678901", 'Prod, "EU"; | x'),
        ("111122223333", "Two lines"),
        ("222233334444", "222233334444"),
    ]
    first = told.candidates[0]
    assert (first.path, first.region) == (("Root", "Prod"), "eu-west-1")
    assert first.tags == {"ou": "Root/Prod", "Cost Center": "4711"}
    assert told.said == []


@pytest.mark.parametrize(
    "header",
    ["account_id", "AccountId", "AWS Account ID", "account-number", "Account", "id", "uid", "ID"],
)
def test_the_column_with_the_id_has_many_names(header: str) -> None:
    assert one(f"x,{header}\n1,111122223333\n").account_id == "111122223333"


@pytest.mark.parametrize(
    "cell", ["111122223333", "1111-2222-3333", '"=""111122223333"""', "'111122223333"]
)
def test_ids_that_can_only_mean_one_account_are_taken(cell: str) -> None:
    assert one(f"name,account_id\nA,{cell}\n").account_id == "111122223333"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("12345678901", 'account_id: "12345678901" has 11 digits; an AWS account ID has 12. A'),
        ("12345678901", "is it 012345678901?"),
        ("1234567890", "is it 001234567890?"),
        ("1.23457E+11", "is what a spreadsheet made of an account ID; format the column as text"),
        ("1234567890123", "has 13 digits"),
        ("prod", "is not an AWS account ID"),
        ("", "`account_id` is missing"),
        ("1111 2222 3333", 'write 12 digits: "111122223333"'),
        ("\uff11" * 12, "is not an AWS account ID"),
    ],
)
def test_an_id_that_cannot_be_read_is_an_error_with_its_line(cell: str, message: str) -> None:
    (told,) = errors(f'account_id,name\n111122223333,"Fine\nindeed"\n{cell},A\n')
    assert told.startswith("4: ")
    assert message in told


def test_all_errors_are_told_at_once() -> None:
    text = (
        "account_id,name,role,region,external_id\n"
        "111122223333,A,Admin,eu-west-1,abc\n"
        "111122223333,B,,,\n"
        "11112222333,C,,,\n"
        "222233334444,D,arn:aws:iam::999999999999:role/x,mars-1,b c\n"
        "333344445555,E,,,,,more\n"
    )
    told = errors(text)
    assert [line[:2] for line in told] == ["3:", "4:", "5:", "5:", "5:", "6:"]
    assert "is the account of line 2 too" in told[0]
    assert "is in account 999999999999, not 222233334444" in " ".join(told)
    assert "7 cells, but the header has 5 columns" in told[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "111122223333,Prod\n222233334444,Dev\n",
            "the first line names no columns; onboard does not know",
        ),
        (
            "name,mail\nProd,x\n",
            "onboard does not know this kind of list: it reads a CSV whose header names",
        ),
        ("hello", "onboard does not know this kind of list"),
        ("[]", "onboard does not know this kind of list"),
        ("{}", "onboard does not know this kind of list"),
        (" \n", "the list is empty"),
        ('{"Accounts": [', "not valid YAML"),
        ('account_id,name\n111122223333,"open\n', "not valid CSV"),
        ("version: 1\naccounts:\n- {name: A, profile: a}\n", "this is a manifest already"),
        ("account_id,name,name\n111122223333,a,b\n", "the column 'name' is there twice"),
        ('{"Accounts": [{"Id": "111122223333"}], "NextToken": "x"}', "the list is cut off"),
    ],
)
def test_what_is_no_list_says_so(text: str, message: str) -> None:
    (told,) = errors(text)
    assert message in told


def test_a_status_tells_closed_accounts_and_any_other_is_a_tag() -> None:
    _, told = read(
        "id,name,status\n111122223333,A,Active\n222233334444,B,SUSPENDED\n"
        "333344445555,C,Pending closure\n444455556666,D,live\n"
    )
    assert [(c.name, dict(c.tags)) for c in told.candidates] == [
        ("A", {}),
        ("D", {"status": "live"}),
    ]
    assert told.states == {
        "111122223333": "ACTIVE",
        "222233334444": "SUSPENDED",
        "333344445555": "PENDING_CLOSURE",
    }
    assert told.said == [
        "list:3: left out B (222233334444): it is SUSPENDED.",
        "list:4: left out C (333344445555): it is PENDING_CLOSURE.",
    ]


# --- c7n-org, Prowler ----------------------------------------------------------------------------

C7N = """\
vars: {company: corp, charge_code: all}
accounts:
- account_id: '123123123123'
  name: account-1
  email: root@example.com
  regions:
  - us-east-1
  - us-west-2
  role: arn:aws:iam::123123123123:role/CloudCustodian
  vars:
    charge_code: xyz
  tags:
  - type:prod
  - division:some division
  - pci
- account_id: 012345678901
  name: two
  role: teams/Custodian
  external_id: abc-def
  regions: [eu-west-1]
- {account_id: '222233334444', name: three, profile: three, org_id: o-abc, nested: {a: [1]}}
- account_id: '333344445555'
  name: chained
  role: ["arn:aws:iam::999999999999:role/hop", Custodian]
- {account_id: '444455556666', name: elsewhere, provider: azure}
subscriptions:
- {name: sub, subscription_id: a1}
...
"""


def test_c7n_orgs_accounts() -> None:
    what, told = read(C7N)
    assert what == "c7n-org's accounts"
    first, two, three, chained = told.candidates
    assert first.assume_role == "arn:aws:iam::123123123123:role/CloudCustodian"
    assert (first.name, first.email, first.region) == ("account-1", "root@example.com", "us-east-1")
    assert first.tags == {
        "type": "prod",
        "division": "some division",
        "pci": "",
        "email": "root@example.com",
        "regions": "us-east-1,us-west-2",
        "company": "corp",
        "charge_code": "xyz",
    }
    assert (two.account_id, two.region) == ("012345678901", "eu-west-1")
    assert two.assume_role == {
        "role": "arn:aws:iam::012345678901:role/teams/Custodian",
        "external_id": "abc-def",
    }
    assert (three.profile, three.assume_role) == ("three", None)
    assert three.tags["nested"] == '{"a": ["1"]}'
    assert chained.assume_role == "Custodian"
    assert "left out arn:aws:iam::999999999999:role/hop: only the last role" in told.said[1]
    assert told.said == [
        "list:27: left out sub: it is of Azure, not of AWS.",
        told.said[1],
        "list:25: left out elsewhere: it is of azure, not of AWS.",
    ]


PROWLER = """\
- provider: aws
  uid: 123456789012              # AWS Account ID
  alias: prod-root
  auth_method: role
  credentials:
    role_arn: "arn:aws:iam::123456789012:role/ProwlerScan"
    external_id: "ext-abc123"
    session_name: "prowler-bulk"
    duration_seconds: 3600
- provider: aws
  uid: "210987654321"
  alias: dev
  auth_method: credentials
  credentials: {access_key_id: AKIAIOSFODNN7EXAMPLE, secret_access_key: wJalrXUt, session_token: x}
- provider: gcp
  uid: my-project
  alias: gcp
  credentials: {inline_json: {private_key: abc}}
"""


@pytest.mark.parametrize("wrapped", [False, True])
def test_prowlers_providers(wrapped: bool) -> None:  # noqa: FBT001
    text = "items:\n" + PROWLER if wrapped else PROWLER
    what, told = read(text)
    assert what == "Prowler's providers"
    assert [(c.account_id, c.name, c.assume_role) for c in told.candidates] == [
        (
            "123456789012",
            "prod-root",
            {
                "role": "arn:aws:iam::123456789012:role/ProwlerScan",
                "external_id": "ext-abc123",
                "session_name": "prowler-bulk",
                "duration": 3600,
            },
        ),
        ("210987654321", "dev", None),
    ]
    assert not any(c.tags for c in told.candidates)
    assert "left out gcp: it is of gcp, not of AWS." in told.said[0]
    secrets = [
        f"list: left out `{key}` of 1 account: secrets have no place in a manifest."
        for key in ("access_key_id", "secret_access_key", "session_token")
    ]
    assert told.said[1:] == secrets


def test_prowlers_csv_has_json_in_its_cells() -> None:
    found = one(
        "provider,uid,alias,auth_method,credentials\n"
        'aws,123456789012,prod,role,"{""role_arn"": ""arn:aws:iam::123456789012:role/P"",'
        ' ""external_id"": ""abc""}"\n'
    )
    assert found.assume_role == {
        "role": "arn:aws:iam::123456789012:role/P",
        "external_id": "abc",
    }


@pytest.mark.parametrize("key", ["Password", "API Key", "aws_secret_access_key", "SessionToken"])
def test_a_secret_becomes_no_tag(key: str) -> None:
    _, told = read(f"account_id,{key},team\n111122223333,hunter2,a\n")
    assert told.candidates[0].tags == {"team": "a"}
    assert f"left out `{key}` of 1 account" in told.said[0]
    assert "hunter2" not in " ".join(told.said)


# --- the AWS CLI's and Terraform's JSON ----------------------------------------------------------


def account(number: int, **more: object) -> dict[str, object]:
    account_id = f"{number:012}"
    return {
        "Id": account_id,
        "Arn": f"arn:aws:organizations::111122223333:account/o-a/{account_id}",
        "Email": f"{number}@example.com",
        "Name": f"A{number}",
        "Status": "ACTIVE",
        "JoinedMethod": "INVITED",
        **more,
    }


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("indent", [None, 4])
def test_the_accounts_that_the_aws_cli_lists(
    bare: bool,  # noqa: FBT001
    indent: int | None,
) -> None:
    accounts = [account(1), account(2, State="CLOSED"), account(3, State="PENDING_CLOSURE")]
    _, told = read(json.dumps(accounts if bare else {"Accounts": accounts}, indent=indent))
    (found,) = told.candidates
    assert (found.account_id, found.name) == ("000000000001", "A1")
    assert found.tags == {"Email": "1@example.com", "JoinedMethod": "INVITED"}
    assert told.states["000000000002"] == "CLOSED"
    assert len(told.said) == 2


def output(value: object, *, sensitive: bool = False) -> dict[str, object]:
    return {"sensitive": sensitive, "type": "dynamic", "value": value}


OUTPUTS = {
    "prod_account_id": output("111122223333"),
    "vpc_id": output("vpc-1234"),
    "zones": output({"a": {"id": "Z1"}}),
    "by_name": output({"dev": "222233334444", "test": 333344445555}),
    "members": output(
        [
            {
                "id": "444455556666",
                "name": "Web",
                "tags": {"team": "a"},
                "role_name": "Org",
                "x": None,
            }
        ]
    ),
    "nested": output({"eu": {"shop": {"account_id": "555566667777", "ou": "EU"}}}),
    "hidden": output("666677778888", sensitive=True),
}


def test_terraforms_outputs() -> None:
    what, told = read(json.dumps(OUTPUTS, indent=2))
    assert what == "Terraform's outputs"
    assert [(c.account_id, c.name) for c in told.candidates] == [
        ("111122223333", "prod"),
        ("222233334444", "dev"),
        ("333344445555", "test"),
        ("444455556666", "Web"),
        ("555566667777", "shop"),
    ]
    web = told.candidates[3]
    assert (web.assume_role, web.tags) == ("Org", {"team": "a"})
    assert "left out the output hidden: it is sensitive" in told.said[0]
    assert told.said[1] == "list: left out vpc_id, zones: no AWS accounts are in them."


@pytest.mark.parametrize(
    "value",
    [
        {"prod": "111122223333"},
        {"prod": {"id": "111122223333"}},
        [{"name": "prod", "account_id": "111122223333"}],
        ["111122223333"],
        {"id": "111122223333", "name": "prod"},
    ],
)
def test_one_output_alone(value: object) -> None:
    found = one(json.dumps(value))
    assert found.account_id == "111122223333"
    assert found.name in ("prod", "111122223333")


def test_a_row_among_accounts_that_is_none_is_an_error() -> None:
    text = json.dumps({"accounts": output({"a": "111122223333", "b": "11112222333"})}, indent=1)
    (told,) = errors(text)
    assert told.startswith("7: ")
    assert "has 11 digits" in told


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)


@given(st.dictionaries(TEXT | st.sampled_from(list(columns.WORDS)), TEXT, max_size=6))
@example({"TAGS": "0:"})
@example({"tags": "team=a, b:", "vars": "x:1"})
@example({"tags": " :1"})
@example({"OU": "/"})
@example({"OU": "a//b"})
@example({"ROLE": "0/"})
def test_every_column_becomes_a_tag_or_is_told(named: dict[str, str]) -> None:
    """Nothing is left out without a word, whatever the columns are called."""
    text = json.dumps([{"account_id": "111122223333", **named}])
    try:
        _, told = read(text)
    except ManifestError:
        return
    for found in told.candidates:
        kept = [*found.tags.values(), found.name, found.email, found.region, found.profile]
        kept += [str(found.assume_role), "/".join(found.path), *told.said]
        for key, value in named.items():
            word = columns.word_of(key)
            assert (
                word in UNDERSTOOD
                or (word is columns.Word.OU and found.path == parts(clean(value)))
                or clean(value) in " ".join(map(str, kept))
                or (word in PAIRS and keeps_pairs(value, found))
                or f"`{clean(key)}`" in " ".join(told.said)
                or (not clean(key) and "left out what has no name" in " ".join(told.said))
            )


def parts(path: str) -> tuple[str, ...]:
    """What is between the slashes; the root's path has nothing."""
    return tuple(part for part in path.split("/") if part)


@pytest.mark.parametrize(
    ("tags", "kept", "is_told"),
    [
        ({"": "x", "a": "b"}, {"a": "b"}, True),
        ([{"Key": " ", "Value": "x"}], {}, True),
        ([":x"], {}, True),
        ({"": ""}, {}, False),
        ([{"env": "prod"}, {"team": "a"}], {"env": "prod", "team": "a"}, False),
    ],
)
def test_a_tag_without_a_name_is_told(tags: object, kept: object, is_told: bool) -> None:  # noqa: FBT001
    rows = [{"account_id": f"11112222333{n}", "tags": tags} for n in range(3)]
    _, told = read("\n" + json.dumps(rows))
    assert told.candidates[0].tags == kept
    said = "list:2: left out what has no name of 3 accounts: a tag needs one."
    assert told.said == ([said] if is_told else [])


def keeps_pairs(cell: str, found: Candidate) -> bool:
    """Whether each `key:value` of a cell is a tag."""
    pairs = [re.split("[:=]", part.strip(), maxsplit=1) for part in re.split("[,;|]", cell)]
    return all(
        len(pair) == 2
        and any(
            key in (clean(pair[0]), f"vars.{clean(pair[0])}") and clean(pair[1]) in value
            for key, value in found.tags.items()
        )
        for pair in pairs
    )


UNDERSTOOD = (columns.Word.AUTH, columns.Word.PROVIDER, columns.Word.STATE)
PAIRS = (columns.Word.TAGS, columns.Word.VARS)
