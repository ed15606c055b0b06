"""`onboard init --from` and `--sso`: to a manifest that loads, and on to a plan that holds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cloudcraft_onboard.errors import CannotStart, ManifestError, UsageError
from cloudcraft_onboard.manifest.load import load, loads
from cloudcraft_onboard.model import Account, SsoRole
from tests.support.onboarding import plan, rewrite
from tests.support.world import MakeWorld
from tests.whole.cli.test_init import run

CSV = "account_id,name,team\n111122223333,Prod,a\n222233334444,Dev,b\n"


def entries(out: str) -> list[Account]:
    return list(loads("m.yaml", out.encode()).accounts)


def listed(folder: Path, text: str) -> str:
    path = folder / "list"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_list_becomes_a_manifest(tmp_path: Path) -> None:
    path = listed(tmp_path, CSV)
    out, err = run("--from", path, "--profile", "hub", "--name", "{name} of {id}")
    assert [(a.name, a.profile, dict(a.tags)) for a in entries(out)] == [
        ("Prod of 111122223333", "hub", {"team": "a"}),
        ("Dev of 222233334444", "hub", {"team": "b"}),
    ]
    ways = {a.assume_role.role for a in entries(out) if a.assume_role}
    assert ways == {"OrganizationAccountAccessRole"}
    assert err == f"{path} is a CSV: 2 accounts.\n2 accounts in the manifest.\n"
    again = ("--profile", "hub", "--name", "{name} of {id}")
    piped, err = run("--from", "-", *again, piped=CSV)
    assert entries(piped) == entries(out)
    assert "standard input is a CSV" in err


def test_what_a_list_says_of_the_way_in_is_kept(tmp_path: Path) -> None:
    text = (
        "account_id,name,role,external_id,profile\n"
        "111122223333,A,Way,abc-{account_id},\n"
        "222233334444,B,arn:aws:iam::222233334444:role/x/Y,,\n"
        "333344445555,C,,,own\n"
        "444455556666,D,,def,\n"
    )
    out, _ = run("--from", listed(tmp_path, text), "--assume-role", "Other")
    a, b, c, d = entries(out)
    assert a.assume_role
    assert (a.assume_role.role, a.assume_role.external_id) == ("Way", "abc-111122223333")
    assert b.assume_role
    assert b.assume_role.role == "arn:aws:iam::222233334444:role/x/Y"
    assert c.profile == "own"
    assert d.assume_role
    assert (d.assume_role.role, d.assume_role.external_id) == ("Other", "def")


def test_errors_are_told_all_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    path = listed(tmp_path, CSV + "11112222333,X,\n,Y,\n111122223333,Z,\n")
    file = tmp_path / "m.yaml"
    file.write_text('version: 1\naccounts:\n- name: A\n  account_id: "999900001111"\n')
    before = file.read_bytes()
    for more in ((), ("--update", str(file)), ("-f", str(tmp_path / "new.yaml"))):
        with pytest.raises(ManifestError) as caught:
            run("--from", path, *more)
        assert caught.value.exit_code == 2
        assert [problem.line for problem in caught.value.problems] == [4, 5, 6]
        assert str(caught.value).startswith(f"{path}:4:1: account_id: ")
    assert file.read_bytes() == before
    assert not (tmp_path / "new.yaml").exists()
    with pytest.raises(ManifestError, match="no such file"):
        run("--from", str(tmp_path / "missing.csv"))
    with pytest.raises(UsageError, match="Found no accounts"):
        run("--from", listed(tmp_path, "id,status\n111122223333,CLOSED\n"))


def test_no_line_of_a_list_is_shown(tmp_path: Path) -> None:
    path = listed(tmp_path, "account_id,secret\n123,wJalrXUtnFEMI\n")
    with pytest.raises(ManifestError) as caught:
        run("--from", path)
    assert [problem.source for problem in caught.value.problems] == [""]


def test_a_list_brings_a_manifest_up_to_date(tmp_path: Path) -> None:
    accounts = [
        {"Id": "111122223333", "Name": "Prod", "Status": "SUSPENDED"},
        {"Id": "222233334444", "Name": "Dev", "Status": "ACTIVE"},
        {"Id": "333344445555", "Name": "New", "Status": "ACTIVE"},
    ]
    path = listed(tmp_path, json.dumps({"Accounts": accounts}))
    file = tmp_path / "m.yaml"
    file.write_text(
        "version: 1\ndefaults: {assume_role: Way}\naccounts:\n"
        '- name: Mine\n  account_id: "111122223333"\n- name: Dev\n  account_id: "222233334444"\n'
        '- name: Elsewhere\n  account_id: "444455556666"\n'
    )
    _, err = run("--from", path, "--update", str(file), "--disable-closed")
    told = {
        a.name: (a.enabled, a.assume_role and a.assume_role.role) for a in load(str(file)).accounts
    }
    assert told == {
        "Mine": (False, "Way"),
        "Dev": (True, "Way"),
        "Elsewhere": (True, "Way"),
        "New": (True, "Way"),
    }
    assert "Mine (111122223333) is SUSPENDED." in err
    before = file.read_bytes()
    run("--from", path, "--update", str(file), "--disable-closed")
    assert file.read_bytes() == before
    with pytest.raises(UsageError, match="does not say which accounts are closed"):
        run("--from", listed(tmp_path, CSV), "--update", str(file), "--disable-closed")


# --- IAM Identity Center -------------------------------------------------------------------------


def corp(*ids: str, role: str = "Admin") -> list[Account]:
    way = SsoRole(session="corp", role=role)
    return [Account(name=f"A{account_id}", account_id=account_id, sso=way) for account_id in ids]


IDS = ("100000000001", "100000000002", "100000000003")


def test_all_accounts_that_the_token_sees_and_a_plan_that_holds(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    accounts = corp(*IDS)
    text = "version: 1\ndefaults: {sso: {session: corp, role: Admin}}\naccounts:\n"
    text += "".join(f'- {{name: {a.name}, account_id: "{a.account_id}"}}\n' for a in accounts)
    world = make_world(text)
    with pytest.raises(UsageError) as caught:
        run("--sso", "corp")
    assert "Admin (3 accounts), ViewOnlyAccess (3 accounts)" in caught.value.message
    assert "--sso-role" in caught.value.hint
    out, err = run("--sso", "corp", "--sso-role", "Admin", "--share", "*=everyone")
    assert err == "3 accounts in the manifest.\n"
    assert [(a.account_id, a.sso) for a in entries(out)] == [
        (account_id, SsoRole(session="corp", role="Admin")) for account_id in IDS
    ]
    assert out.count("Admin") == 1
    rewrite(world, out)
    assert plan(world).outcomes == ["created"] * 3
    file = tmp_path / "other.yaml"
    file.write_text(f'version: 1\naccounts:\n- name: A\n  account_id: "{IDS[1]}"\n')
    run("--sso", "corp", "--sso-role", "Admin", "--update", str(file))
    added = load(str(file)).accounts[1:]
    assert [(a.account_id, a.sso and a.sso.role) for a in added] == [
        (IDS[0], "Admin"),
        (IDS[2], "Admin"),
    ]


def test_accounts_without_the_permission_set_are_left_out_with_a_word(
    make_world: MakeWorld,
) -> None:
    make_world([*corp(IDS[0], IDS[1]), *corp(IDS[2], role="Other")])
    out, err = run("--sso", "corp", "--sso-role", "Other")
    assert [a.account_id for a in entries(out)] == [IDS[2]]
    assert f"Left out A{IDS[0]} ({IDS[0]}): it offers Admin, ViewOnlyAccess." in err
    with pytest.raises(UsageError, match="--sso-role Adnim: no account offers it") as caught:
        run("--sso", "corp", "--sso-role", "Adnim")
    assert "Admin (2 accounts)" in caught.value.hint


def test_a_session_that_is_not_there_or_signed_out_is_said(make_world: MakeWorld) -> None:
    make_world(corp(*IDS))
    with pytest.raises(UsageError, match=r"no \[sso-session crop\]") as wrong:
        run("--sso", "crop")
    assert "Did you mean corp?" in wrong.value.hint
    (token,) = (Path(os.environ["AWS_CONFIG_FILE"]).parent / "sso-cache").iterdir()
    token.unlink()
    with pytest.raises(CannotStart, match="signed in") as caught:
        run("--sso", "corp")
    assert "aws sso login --sso-session corp" in caught.value.hint
