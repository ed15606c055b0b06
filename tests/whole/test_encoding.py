"""Consoles of other languages: nothing crashes, and symbols have plain stand-ins."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudcraft_onboard.console.encoding import STAND_IN
from cloudcraft_onboard.console.streams import Stream
from tests.support.process import LEFT_BEHIND, fresh_onboard
from tests.support.terminal import Tty
from tests.support.world import MakeWorld

MANIFEST = """\
version: 1
defaults: {profile: org-admin, assume_role: OrganizationAccountAccessRole}
accounts:
  - {name: "Zürich → 결제 🚀", account_id: "100000000001", tags: {sandbox: management}}
  - {name: "Łódź", account_id: "100000000002", tags: {sandbox: denied}}
"""
CONSOLES = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "C": {"LC_ALL": "C", "LANG": "C"},
    "C without UTF-8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "no colour": {"NO_COLOR": "1"},
}
ONBOARD = ("-W", "error", "-m", "cloudcraft_onboard")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("█░ → …", "#. > ."),
        ("a · b", "a - b"),
        ("Zürich", "Zurich"),
        ("결제 🚀", "???? ??"),
        ("Łódź", "?odz"),
        ("plain", "plain"),
    ],
)
def test_what_ascii_cannot_write_has_a_stand_in_of_its_width(text: str, plain: str) -> None:
    assert text.encode("ascii", STAND_IN) == plain.encode()


def test_what_the_encoding_can_write_stays() -> None:
    assert "Zürich … →".encode("cp1252", STAND_IN) == "Zürich … >".encode("cp1252")


@given(
    st.text(), st.sampled_from(["ascii", "cp1252", "iso-8859-15", "cp437", "shift_jis", "utf-8"])
)
def test_any_text_can_be_written_in_any_encoding(text: str, encoding: str) -> None:
    with tempfile.TemporaryFile() as file:
        stream = Stream(file.fileno(), encoding)
        stream.write(text)
        stream.close()
        file.seek(0)
        file.read().decode(encoding)


@pytest.mark.parametrize("console", CONSOLES)
def test_a_run_tells_the_same_at_any_console(
    console: str, make_world: MakeWorld, tmp_path: Path
) -> None:
    world = make_world(MANIFEST)
    manifest = str(tmp_path / "manifest.yaml")
    environment = {**world.env, **CONSOLES[console]}
    for command in ("plan", "run"):
        ended = fresh_onboard(tmp_path, command, manifest, "--settle", "0", **environment)
        assert ended.code == 1, ended.stderr
        assert [account["name"] for account in ended.accounts] == ["Zürich → 결제 🚀", "Łódź"]
        assert "rich" in ended.stdout
        assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_the_live_view_and_the_table_at_forty_columns(
    encoding: str, make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(MANIFEST)
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = (*ONBOARD, "run", str(tmp_path / "manifest.yaml"), "--settle", "1")
    environment = {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path.cwd())}
    with Tty(40, 24, *arguments, **world.env, **environment) as tty:
        tty.until("onboard run")
        assert tty.to_the_end() == 1
        told = tty.raw.decode(encoding)
        assert not [word for word in LEFT_BEHIND if word in told]
        assert all(len(line) <= 40 for line in tty.lines())
        assert ("█" in told) == (encoding == "utf-8")
        assert "#" in told or encoding == "utf-8"
