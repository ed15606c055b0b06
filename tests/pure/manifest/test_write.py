"""New manifests are valid by construction; changed ones keep every other byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.errors import ManifestError, UsageError
from cloudcraft_onboard.manifest.edit import Draft
from cloudcraft_onboard.manifest.load import load, loads
from cloudcraft_onboard.manifest.write import Defaults, NewEntry, as_json, clean, render, unique
from cloudcraft_onboard.model import AssumeRole
from tests.support.examples import examples

NEW = NewEntry(name="New", account_id="012345678901", tags={"ou": "Root/Live"})
TEXT = st.text(min_size=1, max_size=20)


def update(path: Path, *add: NewEntry, disable: tuple[str, ...] = ()) -> str:
    """The changed file; changed once more with nothing left to do it must stay the same."""
    draft = Draft(str(path))
    draft.save(draft.edited(add, disable))
    raw = path.read_bytes()
    assert Draft(str(path)).edited((), disable).encode() == raw
    return raw.decode()


@given(
    st.lists(st.tuples(TEXT, st.none() | TEXT.filter(clean), st.none() | TEXT), max_size=5),
    st.none() | TEXT.filter(clean),
)
@examples(200)
def test_whatever_the_names_a_new_manifest_is_valid_and_says_them(
    found: list[tuple[str, str | None, str | None]], profile: str | None
) -> None:
    entries, _ = unique(
        (
            NewEntry(
                name=name,
                account_id=f"{number:012}",
                profile=own and clean(own),
                tags={"ou": clean(unit)} if unit else {},
                comment="a comment" if number else "",
            )
            for number, (name, own, unit) in enumerate(found)
        ),
        (),
    )
    if not entries:
        return
    defaults = Defaults(profile=profile and clean(profile), assume_role="Admin")
    accounts = loads("m.yaml", render("a test", defaults, entries, schema=True).encode()).accounts
    assert [(a.name, a.account_id, dict(a.tags)) for a in accounts] == [
        (entry.name, entry.account_id, entry.tags) for entry in entries
    ]
    assert [a.profile for a in accounts] == [e.profile or defaults.profile for e in entries]
    assert {a.assume_role for a in accounts} == {AssumeRole(role="Admin")}


def test_a_new_manifest_quotes_ids_explains_itself_and_helps_editors() -> None:
    text = render("AWS Organizations", Defaults(profile="p", assume_role="X"), [NEW], schema=True)
    assert text.startswith("# yaml-language-server: $schema=./onboard.schema.json\n")
    assert text.endswith(
        'accounts:\n  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n'
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Payments", "Payments"),
        ("Team A (EU)", "Team A (EU)"),
        ("no", '"no"'),
        ("123", '"123"'),
        ("2024-01-01", '"2024-01-01"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("- a", '"- a"'),
        ('say "x"', '"say \\"x\\""'),
        ("日本", "日本"),
    ],
)
def test_names_are_quoted_where_they_must_be(name: str, written: str) -> None:
    text = render("x", Defaults(), [replace(NEW, name=name)], schema=True)
    assert f"  - name: {written}\n" in text


def test_doubled_names_are_made_unique_and_said() -> None:
    entries, said = unique(
        [
            NewEntry(name="Sandbox", account_id="111122223333"),
            NewEntry(name="Sandbox", account_id="222233334444"),
            NewEntry(name=" ", account_id="333344445555"),
            NewEntry(name="Taken", account_id="444455556666"),
        ],
        ["Taken"],
    )
    assert [entry.name for entry in entries] == [
        "Sandbox",
        "Sandbox (222233334444)",
        "333344445555",
        "Taken (444455556666)",
    ]
    assert said == [
        "222233334444 is named 'Sandbox (222233334444)' here, since 'Sandbox' is taken.",
        "333344445555 is named '333344445555' here, since ' ' is blank.",
        "444455556666 is named 'Taken (444455556666)' here, since 'Taken' is taken.",
    ]


STYLES = {
    "plain": (
        "version: 1\naccounts:\n  - name: A\n    profile: a\n",
        '  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n',
    ),
    "no indentation": (
        "version: 1\naccounts:\n- name: A\n  profile: a\n",
        '- name: New\n  account_id: "012345678901"\n  tags: {ou: Root/Live}\n',
    ),
    "wide dash": (
        "version: 1\naccounts:\n    -   name: A\n        profile: a\n",
        '    -   name: New\n        account_id: "012345678901"\n        tags: {ou: Root/Live}\n',
    ),
    "flow entries": (
        "version: 1\naccounts:\n  - {name: A, profile: a}  # mine\n",
        '  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n',
    ),
    "nested last value": (
        "version: 1\naccounts:\n- name: A\n  profile: a\n  role:\n    tags:\n      a: b\n",
        '- name: New\n  account_id: "012345678901"\n  tags: {ou: Root/Live}\n',
    ),
    "empty last value": (
        "version: 1\naccounts:\n  - name: A\n    profile: a\n    tags:\n",
        '  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n',
    ),
    "alias last": (
        "version: 1\naccounts:\n  - name: &n A\n    profile: *n\n",
        '  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n',
    ),
    "comments of the last entry": (
        "version: 1\naccounts:\n  - name: A\n    profile: a\n\n    # region: x\n  # - name: Old\n",
        '  - name: New\n    account_id: "012345678901"\n    tags: {ou: Root/Live}\n',
    ),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize(
    "after", ["", "\n# the end\n", "\n# defaults\ndefaults: {region: us-east-1}\n"]
)
@pytest.mark.parametrize("style", STYLES)
def test_entries_are_added_in_the_files_own_style(
    tmp_path: Path, style: str, after: str, mark: str, line_end: str
) -> None:
    before, added = STYLES[style]
    path = tmp_path / "m.yaml"
    path.write_bytes((mark + before + after).replace("\n", line_end).encode())
    changed = update(path, NEW)
    assert changed == (mark + before + added + after).replace("\n", line_end)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_file_without_a_last_line_end_stays_without(tmp_path: Path, line_end: str) -> None:
    path = tmp_path / "m.yaml"
    before = line_end.join(["version: 1", "accounts:", "- name: A", "  profile: a # x"])
    path.write_bytes(before.encode())
    changed = update(path, NEW, replace(NEW, name="More", account_id="999900001111", tags={}))
    assert changed.startswith(before + line_end + "- name: New" + line_end)
    assert changed.endswith(f'- name: More{line_end}  account_id: "999900001111"')


def test_a_list_in_flow_style_grows_in_flow_style(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "accounts: [\n  {name: A, profile: a},  # one\n"
        "  {name: B, profile: b},  # two\n]\nversion: 1\n"
    )
    assert update(path, NEW) == (
        "accounts: [\n  {name: A, profile: a},  # one\n"
        '  {name: B, profile: b}, {name: New, account_id: "012345678901", tags: {ou: Root/Live}}'
        ",  # two\n]\nversion: 1\n"
    )


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=9)


@given(
    st.lists(NAMES.filter(clean), min_size=1, max_size=4, unique=True),
    st.sampled_from([None, "\t"]),
    NAMES,
)
@examples(100)
def test_json_stays_json_and_every_other_byte_stays(
    names: list[str], indent: str | None, new: str
) -> None:
    entries = [{"name": n, "account_id": f"{i:012}"} for i, n in enumerate(names)]
    last = {"name": "🚀 last", "tags": {"🛰": "🚀"}, "account_id": "999900001111"}
    listed = [*entries, last]
    document = {"accounts": listed, "version": 1, "defaults": {"profile": "🚀"}}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.json"
        for escaped in (True, False):
            before = json.dumps(document, ensure_ascii=escaped, indent=indent)
            path.write_bytes(before.encode())
            assert Draft(str(path)).edited((), ()) == before
            entry = replace(
                NEW, name=unique([replace(NEW, name=new)], [*names, "🚀 last"])[0][0].name
            )
            changed = update(path, entry, disable=(names[0], "🚀 last"))
            accounts = json.loads(changed)["accounts"]
            assert accounts[:-1] == [
                {**it, "enabled": False} if it in (entries[0], last) else it for it in listed
            ]
            assert accounts[-1]["name"] == entry.name
            removed = changed.replace(', "enabled": false', "").replace(", " + as_json(entry), "")
            assert removed == before


def test_disabling_touches_one_value_or_adds_one_line(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        """\
version: 1
accounts:
  - name: A          # the first
    account_id: "111122223333"   # closed
    region:   eu-west-1
  - {name: B, account_id: '222233334444', region: eu-west-1}   # flow
  - account_id: 333344445555
    enabled: yes     # for now
    name: C
  - name: D
    account_id: "444455556666"
    enabled: false
"""
    )
    assert (
        update(path, disable=("A", "B", "C", "D"))
        == """\
version: 1
accounts:
  - name: A          # the first
    account_id: "111122223333"   # closed
    enabled: false
    region:   eu-west-1
  - {name: B, account_id: '222233334444', enabled: false, region: eu-west-1}   # flow
  - account_id: 333344445555
    enabled: false     # for now
    name: C
  - name: D
    account_id: "444455556666"
    enabled: false
"""
    )
    assert [account.enabled for account in load(str(path)).accounts] == [False] * 4


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tags: {ou: Root/Old, a: b}  # x", "tags: {ou: Root/New, a: b}  # x"),
        ("tags:\n      ou:   'Root/Old'", "tags:\n      ou:   Root/New"),
    ],
)
def test_an_account_that_moved_gets_another_unit_and_nothing_else(
    tmp_path: Path, before: str, after: str
) -> None:
    path = tmp_path / "m.yaml"
    text = f'version: 1\naccounts:\n  - name: A\n    account_id: "111122223333"\n    {before}\n'
    path.write_text(text)
    draft = Draft(str(path))
    assert draft.edited((), (), {"A": "Root/New"}) == text.replace(before, after)
    path.write_text(
        '{"version": 1, "accounts": [{"name": "A", "profile": "a", "tags": {"ou": "x"}}]}'
    )
    assert '"ou": "Root/\u00e9"' in Draft(str(path)).edited((), (), {"A": "Root/\u00e9"}).replace(
        "\\u00e9", "\u00e9"
    )


def test_a_unit_that_is_merged_in_from_elsewhere_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "version: 1\naccounts:\n  - &a {name: A, profile: a, tags: {ou: R/O}}\n"
        "  - {<<: *a, name: B, profile: b}\n"
    )
    with pytest.raises(UsageError, match="cannot be changed in place"):
        Draft(str(path)).edited((), (), {"B": "R/N"})
    with pytest.raises(UsageError, match="cannot be changed in place"):
        Draft(str(path)).edited((), (), {"A": "R/N"})


def test_the_last_account_is_disabled_and_followed_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text('version: 1\naccounts:\n- name: A\n  account_id: "111122223333"')
    changed = update(path, NEW, disable=("A",))
    assert [(a.name, a.enabled) for a in loads("m", changed.encode()).accounts] == [
        ("A", False),
        ("New", True),
    ]


def test_a_change_that_would_reach_other_accounts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "version: 1\naccounts:\n"
        '  - &a {name: A, account_id: "111122223333", enabled: true}\n'
        '  - {<<: *a, name: B, account_id: "222233334444"}\n'
    )
    with pytest.raises(UsageError, match="cannot be changed in place"):
        Draft(str(path)).edited((), ("A",))


def test_an_invalid_manifest_is_not_edited(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("version: 1\naccounts: []\n")
    with pytest.raises(ManifestError):
        Draft(str(path))


def test_the_examples_can_be_edited_and_undone(tmp_path: Path) -> None:
    for name in ("org.yaml", "demo.yaml"):
        original = (Path(__file__).parents[3] / "manifests" / name).read_text()
        path = tmp_path / name
        path.write_text(original)
        assert Draft(str(path)).defaults.assume_role == "OrganizationAccountAccessRole"
        fresh = replace(NEW, account_id="987654321098")
        added = '  - name: New\n    account_id: "987654321098"\n    tags: {ou: Root/Live}\n'
        assert update(path, fresh).replace(added, "") == original
