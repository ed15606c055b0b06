"""Loading manifests: what is right comes out as written, what is wrong is said where it stands."""

from __future__ import annotations

import gc
import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import regress
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.errors import ManifestError, ManifestProblem
from cloudcraft_onboard.manifest.load import load, load_all, loads, render
from cloudcraft_onboard.manifest.schema import json_schema
from cloudcraft_onboard.model import (
    Account,
    AssumeRole,
    RoleSpec,
    SsoRole,
    StackSetSpec,
    Via,
)
from tests.support.examples import examples

BAD = Path(__file__).parent / "bad"
MANIFESTS = Path(__file__).parents[3] / "manifests"


def accounts(text: str) -> tuple[Account, ...]:
    return loads("m.yaml", text.encode()).accounts


def problems(text: str | bytes) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(ManifestError) as caught:
        loads("m.yaml", raw)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("*.yaml")))
def test_a_bad_manifest_gives_exactly_its_message(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ManifestError) as caught:
        load(f"{name}.yaml")
    assert str(caught.value) + "\n" == (BAD / f"{name}.txt").read_text(encoding="utf-8")
    assert caught.value.exit_code == 2


def test_all_files_errors_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ManifestError) as caught:
        load_all(["regions.yaml", str(MANIFESTS / "demo.yaml"), "nowhere.yaml", "empty.yaml"])
    assert {problem.file for problem in caught.value.problems} == {
        "regions.yaml",
        "nowhere.yaml",
        "empty.yaml",
    }
    assert "\nnowhere.yaml: no such file" in str(caught.value)
    assert [p.hint for p in caught.value.problems if "`onboard init`" in p.hint] != []


def test_a_directory_an_unreadable_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * (10 * 1024 * 1024 + 1))
    for path, message in (
        (str(tmp_path), "this is a directory"),
        (str(huge), "larger than 10 MB"),
        (str(tmp_path / "\0"), "the file cannot be read"),
        (str(huge / "below.yaml"), "the file cannot be read: Not a directory"),
    ):
        with pytest.raises(ManifestError, match=re.escape(message)):
            load(path)
    if os.geteuid() != 0:
        huge.chmod(0)
        with pytest.raises(ManifestError, match="permission denied"):
            load(str(huge))


def test_ways_in_are_merged_key_by_key_or_replace_each_other() -> None:
    text = """\
version: 1
defaults:
  profile: hub
  assume_role:
    role: Entry
    external_id: org-{account_id}
    session_name: "{account_id}@onboard"
    duration: 900
    source_identity: platform
    tags: {team: platform, cost: "1"}
accounts:
  - {name: all, account_id: "111122223301"}
  - {name: name, account_id: "111122223302", assume_role: Other}
  - {name: own, account_id: "111122223303", assume_role: {external_id: mine, tags: {cost: "2"}}}
  - {name: none, account_id: "111122223304", assume_role: null}
  - {name: less, account_id: "111122223305", assume_role: {external_id: null, duration: null}}
  - {name: direct, profile: d}
  - {name: entered, account_id: "111122223306", profile: d}
  - {name: sso, account_id: "111122223307", sso: {session: corp, role: Admin}}
"""
    found = {account.name: account for account in accounts(text)}
    of_all = AssumeRole(
        role="Entry",
        external_id="org-111122223301",
        session_name="111122223301@onboard",
        duration=900,
        source_identity="platform",
        tags={"team": "platform", "cost": "1"},
    )

    def here(account_id: str, **fields: Any) -> AssumeRole:
        names = {"external_id": f"org-{account_id}", "session_name": f"{account_id}@onboard"}
        return replace(of_all, **{**names, **fields})

    assert {name: account.assume_role for name, account in found.items()} == {
        "all": of_all,
        "name": here("111122223302", role="Other"),
        "own": here("111122223303", external_id="mine", tags={"team": "platform", "cost": "2"}),
        "none": None,
        "less": here("111122223305", external_id=None, duration=None),
        "direct": None,
        "entered": here("111122223306"),
        "sso": None,
    }
    assert {n: a.profile for n, a in found.items() if a.profile != "hub"} == {
        "direct": "d",
        "entered": "d",
        "sso": None,
    }
    assert found["sso"].sso == SsoRole(session="corp", role="Admin")


def test_sso_of_the_defaults_gives_way_to_an_own_profile_or_role() -> None:
    text = """\
version: 1
defaults: {sso: {session: corp, role: Admin}}
accounts:
  - {name: sso, account_id: "111122223301"}
  - {name: other, account_id: "111122223302", sso: {role: Reader}}
  - {name: profile, account_id: "111122223303", profile: p}
  - {name: direct, profile: d}
  - {name: role, account_id: "111122223304", assume_role: Entry}
  - {name: chain, account_id: "111122223305", sso: null}
"""
    assert [(a.name, a.sso, a.profile, a.assume_role) for a in accounts(text)] == [
        ("sso", SsoRole(session="corp", role="Admin"), None, None),
        ("other", SsoRole(session="corp", role="Reader"), None, None),
        ("profile", None, "p", None),
        ("direct", None, "d", None),
        ("role", None, None, AssumeRole(role="Entry")),
        ("chain", None, None, None),
    ]


def test_defaults_are_merged_into_accounts() -> None:
    text = """\
version: 1
defaults:
  profile: org-admin
  assume_role: Admin
  region: eu-west-1
  role:
    path: /teams/
    tags: {team: platform, cost: "1"}
    stackset: {name: mine, organizational_units: [r-ab12]}
  read_access: [Platform]
accounts:
  - name: A
    account_id: 012345670123
  - name: B
    profile: b
    region: us-east-1
    read_access: []
    write_access: [x, y]
    role:
      tags: {cost: "2"}
      adopt: true
  - name: C
    account_id: "111122223333"
    profile: c
    assume_role: null
    enabled: no
    read_access: null
    role: {via: stackset, stackset: {admin: delegated}}
    tags: {env: prod}
"""
    role = RoleSpec(
        path="/teams/",
        tags={"team": "platform", "cost": "1"},
        stackset=StackSetSpec(name="mine", organizational_units=("r-ab12",)),
    )
    assert accounts(text) == (
        Account(
            name="A",
            account_id="012345670123",
            profile="org-admin",
            assume_role=AssumeRole(role="Admin"),
            region="eu-west-1",
            role=role,
            read_access=("Platform",),
            line=12,
        ),
        Account(
            name="B",
            profile="b",
            role=RoleSpec(
                path="/teams/",
                tags={"team": "platform", "cost": "2"},
                adopt=True,
                stackset=role.stackset,
            ),
            read_access=(),
            write_access=("x", "y"),
            line=14,
        ),
        Account(
            name="C",
            account_id="111122223333",
            profile="c",
            region="eu-west-1",
            role=RoleSpec(
                path="/teams/",
                tags=role.tags,
                via=Via.STACKSET,
                stackset=replace(
                    role.stackset, admin="delegated", profile="org-admin", region="eu-west-1"
                ),
            ),
            enabled=False,
            tags={"env": "prod"},
            line=22,
        ),
    )


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffversion: 1\naccounts: [{name: A, profile: a}]",
        "---\r\nversion: 1\r\naccounts:\r\n  - name: A\r\n    profile: a\r\n",
        "version: 1\naccounts:\n  - &a {name: A, profile: a}\n  - {<<: *a, name: B, profile: b}\n",
        "version: 1\ndefaults:\nv: &x 1\naccounts: [{name: A, profile: a}]".replace(
            "v: &x 1\n", ""
        ),
        "version: 1\naccounts:\n- name: A\n  profile: a\n  tags:\n  role:\n...\n",
        "%YAML 1.1\n---\n!!map\nversion: 1\naccounts: [{name: !!str 7, profile: a}]",
        "version: 1\naccounts: [{name: 2024-01-01, profile: a}]",
    ],
    ids=["bom", "crlf", "merge", "no-defaults", "nulls", "plain-tags", "date"],
)
def test_these_are_fine(text: str) -> None:
    assert accounts(text)[0].profile == "a"


def test_own_keys_win_over_merged_ones_and_the_first_merged_one_over_later() -> None:
    text = """\
version: 1
accounts:
  - &a {name: A, profile: a, region: eu-west-1, tags: &t {env: prod}}
  - &b {name: B, profile: b, region: eu-west-2, enabled: false}
  - {<<: [*a, *b], name: C, profile: c}
  - {name: D, profile: d, tags: {<<: *t, team: x}, region: sa-east-1}
"""
    _, _, c, d = accounts(text)
    assert (c.region, c.enabled, c.tags, c.line) == ("eu-west-1", False, {"env": "prod"}, 5)
    assert d.tags == {"team": "x", "env": "prod"}


@pytest.mark.parametrize(
    "written", ["012345670123", "123456789012", "'012345670123'", "000000000001"]
)
def test_twelve_digits_are_that_account(written: str) -> None:
    text = f"version: 1\naccounts:\n  - name: A\n    account_id: {written} # a comment\n"
    assert accounts(text)[0].account_id == written.strip("'")


def test_json_is_read_with_its_own_escapes_too() -> None:
    entries = [
        {
            "name": "🚀",
            "profile": "\\ud83d\\ude80",
            "tags": {"🛰": "\\🚀/é"},
            "read_access": ["👩‍🚀"],
        },
        {"name": "日本", "profile": "b"},
    ]
    for escaped in (True, False):
        told = json.dumps({"version": 1, "accounts": entries}, ensure_ascii=escaped)
        one, two = accounts(told)
        assert (one.name, one.profile, one.tags) == ("🚀", r"\ud83d\ude80", {"🛰": "\\🚀/é"})
        assert (one.read_access, two.name) == (("👩‍🚀",), "日本")


def test_a_partition_a_boundary_by_name_and_new_regions_are_taken() -> None:
    text = """\
version: 1
accounts:
  - name: A
    account_id: "111122223333"
    region: eusc-de-east-1
    role:
      via: existing
      partition: aws-eusc
      permissions_boundary: boundary
      policies: [job-function/ViewOnlyAccess, cloudcraft:minimal]
  - {name: B, profile: b, region: us-isob-east-1}
  - {name: C, profile: c, region: ap-southeast-42}
"""
    assert accounts(text)[0].expected_role_arn == "arn:aws-eusc:iam::111122223333:role/cloudcraft"


def test_problems_show_their_line_with_a_caret_under_the_place() -> None:
    text = "version: 1\naccounts:\n  - {name: 日本, profile: e\u0301, region: tokyo}\n"
    with pytest.raises(ManifestError) as caught:
        loads("m.yaml", text.encode())
    assert render(caught.value, quote=True).splitlines() == [
        'm.yaml:3:37: region: "tokyo" is not an AWS region; they look like `eu-west-1`',
        "    3 |   - {name: 日本, profile: e\u0301, region: tokyo}",
        "      | " + " " * len("  - {name: ____, profile: _, region: ") + "^",
    ]
    assert render(caught.value, quote=False) == str(caught.value)


def test_a_tab_before_the_place_and_a_very_long_line_keep_the_caret_right() -> None:
    tab = ManifestProblem(file="m", line=1, column=4, message="x", source="a:\tb")
    assert render(ManifestError((tab,)), quote=True).splitlines()[1:] == [
        "    1 | a:\tb",
        "      |   \t^",
    ]
    long = ManifestProblem(file="m", line=1, column=5001, message="x", source="a" * 5000 + "b" * 99)
    _, source, caret = render(ManifestError((long,)), quote=True).splitlines()
    assert len(source) < 150
    assert source[caret.index("^")] == "b"
    assert source[caret.index("^") - 1] == "a"


def test_what_a_file_says_cannot_steer_the_terminal() -> None:
    text = 'version: 1\naccounts:\n  - {name: "\\e[31m", profile: a}\n'
    assert "\x1b" not in "".join(problems(text))
    with pytest.raises(ManifestError) as caught:
        loads("m.yaml", b"version: 1\naccounts: [{name: \x1b[2J, profile: a}]")
    assert "\x1b" not in render(caught.value, quote=True)


def test_a_deeply_nested_file_and_one_of_endless_brackets_end_quickly() -> None:
    for text in ("[" * 1_000_000, "{a: " * 100_000, "- " * 200_000, "? " * 100_000):
        assert len(problems(text)) == 1


def test_many_wrong_accounts_are_all_named() -> None:
    text = "version: 1\naccounts:\n" + "  - {name: A, profile: a, region: x}\n" * 500
    assert len(problems(text)) == 500 * 3 - 2


def test_a_big_manifest_costs_the_same_per_account_as_a_small_one() -> None:
    def seconds(count: int) -> float:
        entries = "".join(
            f'  - name: N{i}\n    account_id: "{10**11 + i}"\n    tags: {{env: prod}}\n'
            for i in range(count)
        )
        raw = f"version: 1\naccounts:\n{entries}".encode()
        gc.collect()
        started = time.process_time()
        assert len(loads("m.yaml", raw).accounts) == count
        return time.process_time() - started

    small = min(seconds(500) for _ in range(5)) / 500
    assert seconds(10_000) / 10_000 < small * 4


# --- whatever the text ---------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["us-east-1", "cloudcraft", "existing", "111122223333", "~", "<<", "*a", "&a"]),
)
KEYS = st.sampled_from(
    [
        *("version", "defaults", "accounts", "name", "account_id", "profile", "assume_role"),
        *("region", "role", "tags", "path", "policies", "via", "stackset", "read_access"),
        *("organizational_units", "enabled", "max_session_duration", "x"),
        *("sso", "session", "external_id", "session_name", "duration", "source_identity"),
    ]
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
SNIPPETS = st.lists(
    st.sampled_from(
        [
            *(
                "version: 1\n",
                "accounts:\n",
                "  - ",
                "name: A\n",
                "profile: a\n",
                "    ",
                ">\n",
                "|\n",
            ),
            *(
                "account_id: ",
                "012345670123",
                "1e11",
                '"',
                "'",
                "[",
                "]",
                "{",
                "}",
                ": ",
                ",",
                "\t",
            ),
            *("\n", "#", "&a ", "*a", "<<: ", "!!int ", "? ", "---\n", "...\n", "%YAML", "@", "é"),
            *("\r", "\r\n", "\x85", "\\", "~", "\u2028", "\ufeff"),
        ]
    ),
    max_size=25,
).map("".join)


def outcome(text: str) -> tuple[Account, ...]:
    """The accounts, none of an invalid text; what holds for whatever text is checked."""
    found, error = attempt(text.encode("utf-8", "surrogatepass"))
    if error:
        lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text.removeprefix("\ufeff"))
        assert render(error, quote=True)
        for problem in error.problems:
            assert problem.column >= 1
            assert 1 <= problem.line <= len(lines) + 1
    for account in found:
        assert account.account_id is None or account.account_id in text
    return found


def attempt(raw: bytes) -> tuple[tuple[Account, ...], ManifestError | None]:
    try:
        return loads("m.yaml", raw).accounts, None
    except ManifestError as error:
        return (), error


@given(st.text() | SNIPPETS)
@example("version: 1\naccounts:\n  - {name: A, account_id: 012345670123}")
@example("\ufeff\ufeff")
@example("\x85- \ud800")
@examples(300)
def test_no_text_ends_in_anything_but_accounts_or_problems(text: str) -> None:
    outcome(text)


@given(TREES)
@examples(200)
def test_no_tree_ends_in_anything_but_accounts_or_problems(tree: object) -> None:
    outcome(yaml.safe_dump(tree, allow_unicode=True))
    outcome(json.dumps(tree))


@given(TREES, TREES, TREES)
@examples(200)
def test_nothing_in_the_right_place_does_either(one: object, two: object, three: object) -> None:
    tree = {"version": 1, "defaults": one, "accounts": [{"name": "A", "account_id": two}, three]}
    outcome(yaml.safe_dump(tree, allow_unicode=True))


@given(st.from_regex(r"[0-9_.eExXoO+:,-]{1,16}", fullmatch=True))
@example("012345670123")
@example("0o12345670123")
@example("1_111_222_233_33")
@examples(300)
def test_an_account_id_is_the_digits_of_the_source_or_an_error(written: str) -> None:
    found = outcome(f"version: 1\naccounts:\n  - name: A\n    account_id: {written}\n")
    if found:
        assert found[0].account_id == written
        assert re.fullmatch(r"[0-9]{12}", written)


# --- the schema ----------------------------------------------------------------------------------


def test_the_committed_schema_is_what_the_command_prints() -> None:
    committed = (MANIFESTS / "onboard.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_schema_is_valid_and_every_key_is_described() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for shape in (schema, *schema["$defs"].values()):
        assert shape["additionalProperties"] is False
        for name, key in shape["properties"].items():
            assert key.get("description"), name


def expressions(part: Any) -> Iterator[str]:
    """Every regular expression of a schema."""
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        yield from part.get("patternProperties", {})
        for value in part.values():
            yield from expressions(value)
    elif isinstance(part, list):
        for value in part:
            yield from expressions(value)


def test_every_pattern_is_one_for_python_and_for_editors() -> None:
    patterns = set(expressions(json_schema()))
    assert len(patterns) > 8
    for pattern in patterns:
        re.compile(pattern)
        regress.Regex(pattern, "u")  # ECMA 262, as strict as validators of JSON Schema are
    for refused in '"\\[]^!':
        (tags,) = {p for p in patterns if p.startswith("^[^!")}
        assert re.search(tags, f"a{refused}") is None
        assert regress.Regex(tags, "u").find(f"a{refused}") is None
        assert regress.Regex(tags, "u").find("Größe: a/b_c=d+e-f@g") is not None


@pytest.mark.parametrize("name", ["demo.yaml", "org.yaml", "trouble.yaml"])
def test_the_examples_are_valid_for_onboard_and_for_editors(name: str) -> None:
    path = MANIFESTS / name
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./onboard.schema.json"
    assert load(str(path)).accounts
    jsonschema.validate(yaml.safe_load(path.read_bytes()), json_schema())


@pytest.mark.parametrize(
    "name",
    sorted(
        path.stem
        for path in BAD.glob("*.yaml")
        if path.stem.split("_")[0]
        in {"ids", "regions", "roles", "role", "paths", "teams", "types", "unknown"}
        or path.stem in {"assume_role", "sso"}
    ),
)
def test_editors_see_what_onboard_refuses(name: str) -> None:
    tree = yaml.safe_load((BAD / f"{name}.yaml").read_bytes())
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(tree))


def test_the_demo_has_every_kind_of_account_and_fits_one_window_of_the_rate_limit() -> None:
    demo = load(str(MANIFESTS / "demo.yaml")).accounts
    assert sum(account.enabled for account in demo) < 17
    assert {word for a in demo for word in a.tags.get("sandbox", "").split()} == {
        "management",
        "strangers",
        "onboarded",
        "drifted",
        "datadog",
    }
    assert {a.enabled for a in demo} == {True, False}
    assert {a.account_id is None for a in demo} == {True, False}
