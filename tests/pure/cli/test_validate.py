"""`onboard validate`: what is right, and what is merely odd."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from cloudcraft_onboard.cli import files
from cloudcraft_onboard.errors import ManifestError

app = typer.Typer()
files.register(app)


def test_mixed_partitions_are_a_warning_and_no_error(tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        "version: 1\naccounts:\n"
        '  - {name: World, account_id: "111122223333"}\n'
        '  - {name: Beijing, account_id: "111122223334", region: cn-north-1}\n'
    )
    ended = CliRunner().invoke(app, ["validate", str(manifest)])
    assert ended.exit_code == 0
    assert ended.stdout == f"{manifest}: 2 accounts, valid\n"
    assert f"{manifest}: warning: the accounts are in several AWS partitions" in ended.stderr
    assert "(aws: World; aws-cn: Beijing)" in ended.stderr


def test_standard_input_is_a_manifest_too() -> None:
    manifest = 'version: 1\naccounts:\n  - {name: World, account_id: "111122223333"}\n'
    ended = CliRunner().invoke(app, ["validate", "-"], input=manifest)
    assert (ended.exit_code, ended.stdout) == (0, "standard input: 1 account, valid\n")


def test_what_is_wrong_in_standard_input_is_said_of_it() -> None:
    ended = CliRunner().invoke(app, ["validate", "-"], input="version: 2\n")
    assert isinstance(ended.exception, ManifestError)
    assert {problem.file for problem in ended.exception.problems} == {"standard input"}
