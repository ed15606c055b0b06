"""Completion in the three shells, asked as the shells ask."""

from __future__ import annotations

import functools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from tests.support.process import HANG, door
from tests.support.programs import ZSH

MANIFEST = """
version: 1
accounts:
  - {name: Production, account_id: "111122223333", tags: {env: prod}}
  - {name: Payments, profile: payments}
"""


def complete(shell: str, words: list[str], folder: Path) -> str:
    line = " ".join(words)
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        [door()],
        env={**os.environ, "_ONBOARD_COMPLETE": f"complete_{shell}", **asked},
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=HANG,
        check=False,
    )
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("shell", "typed", "offered"),
    [
        ("bash", "P", ["Production", "Payments"]),
        ("zsh", "11", ["111122223333"]),
        ("fish", "env", ["env=prod"]),
    ],
)
def test_accounts_complete_from_the_manifest(
    shell: str, typed: str, offered: list[str], tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    answer = complete(shell, ["onboard", "run", "m.yaml", "--only", typed], tmp_path)
    assert all(word in answer for word in offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_complete(shell: str, tmp_path: Path) -> None:
    assert "validate" in complete(shell, ["onboard", "val"], tmp_path)


@pytest.mark.parametrize("command", ["init", "status org.yaml"])
def test_profiles_complete_from_the_aws_config(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile org-admin]\nsso_account_id = 111122223333\n[profile prod]\n"
        "[profile org$(touch x)]\n[profile 'org;y']\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    words = ["onboard", *command.split(), "--profile", "org"]
    told = complete("bash", words, tmp_path)
    assert told.split() == ["org-admin"]
    config.write_text("[broken")
    assert not complete("bash", words, tmp_path).strip()


def test_a_broken_manifest_completes_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("version: 2\n", encoding="utf-8")
    assert not complete("bash", ["onboard", "run", "m.yaml", "--only", "P"], tmp_path).strip()


INTERACTIVE = """
onboard() { {door} "$@"; }
{script}
COMP_WORDS=({words}); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_onboard_completion onboard
printf '%s\\n' "${COMPREPLY[@]}"
"""


@functools.cache
def script_for_bash() -> str:
    return subprocess.run(
        [door()],
        env={**os.environ, "_ONBOARD_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("words", "inserted"),
    [
        (["--only", "Web"], ["Web\\ Shop"]),
        (["--only", '"Web'], ["Web Shop"]),
        (["--only", "env", "=", "p"], ["prod"]),
        (["--only", "env", "="], ["prod"]),
        (["--only", "="], ["Production", "Payments"]),
        (["--only", "=", "Pay"], ["Payments"]),
        (["--only", "=", "env", "=", "p"], ["prod"]),
        (["--only", "env", "=", "prod", "--exclude", "env", "=", "p"], ["prod"]),
    ],
)
def test_bash_inserts_what_it_can_read_again(
    words: list[str], inserted: list[str], tmp_path: Path
) -> None:
    """The words as bash has split them, at = and : too; it replaces the last of them."""
    shop = '  - {name: Web Shop, account_id: "111122223334"}\n'
    (tmp_path / "m.yaml").write_text(MANIFEST + shop, encoding="utf-8")
    script = script_for_bash()
    source = (
        INTERACTIVE.replace("{door}", shlex.quote(door()))
        .replace("{script}", script.replace(" $1 )", f" {shlex.quote(door())} )"))
        .replace("{words}", shlex.join(["onboard", "run", "m.yaml", *words]))
    )
    done = subprocess.run(
        ["bash", "-c", source],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=HANG,
        check=False,
    )
    assert not done.stderr
    offered = done.stdout.splitlines()
    assert set(inserted) <= set(offered)
    assert len(offered) == len(inserted) or words[-1] == "="


ANSWERING = """#!/bin/sh
if [ -n "$_ONBOARD_COMPLETE" ]; then exec {door} "$@"; fi
printf 'read: %s|' "$@"
"""


SETUPS = {
    "zsh": (["zsh", "-i"], ".zshrc", "autoload -Uz compinit && compinit -u -D\nPS1='ready> '\n"),
    "bash": (["bash", "--rcfile", ".bashrc", "-i"], ".bashrc", "PS1='ready> '\n"),
}


@contextmanager
def shell(name: str, folder: Path) -> Iterator[pexpect.spawn[str]]:
    """A shell in a terminal, with the completion that `onboard` installs; and what it runs."""
    arguments, own_file, own = SETUPS[name]
    program = folder / "bin" / "onboard"
    program.parent.mkdir()
    program.write_text(ANSWERING.format(door=shlex.quote(door())), encoding="utf-8")
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "ZDOTDIR": str(folder),
        "HOME": str(folder),
        "TERM": "dumb",
        "PYTHONPATH": str(Path.cwd()),
    }
    script = subprocess.run(
        [program],
        env={**environment, "_ONBOARD_COMPLETE": f"source_{name}"},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=True,
    ).stdout
    (folder / own_file).write_text(own + script, encoding="utf-8")
    started = pexpect.spawn(
        arguments[0],
        arguments[1:],
        cwd=str(folder),
        env=environment,
        encoding="utf-8",
        timeout=HANG,
        dimensions=(50, 300),
    )
    started.expect_exact("ready> ")
    yield started
    started.close(force=True)


@pytest.fixture
def zsh(tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    with shell("zsh", tmp_path) as started:
        yield started


@ZSH.or_skip
@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Prod", "Production"),
        ("Web", "Web Shop"),
        ("env=p", "env=prod"),
        ("11112222333\t3", "111122223333"),
        ("A", "A:B"),
        ("Nord", "Nordsee Küste"),
    ],
)
def test_zsh_inserts_what_it_can_read_again(
    zsh: pexpect.spawn[str], tmp_path: Path, typed: str, read: str
) -> None:
    others = ["Web Shop", "A:B", "Nordsee Küste"]
    lines = [f"  - {{name: {json.dumps(name)}, profile: x{n}}}\n" for n, name in enumerate(others)]
    (tmp_path / "m.yaml").write_text(MANIFEST + "".join(lines), encoding="utf-8")
    zsh.send(f"onboard run m.yaml --only {typed}\t\r")
    zsh.expect_exact(f"read: --only|read: {read}|")


@ZSH.or_skip
def test_the_first_tab_of_a_shell_completes(tmp_path: Path) -> None:
    """As zsh loads what --install-completion has written, it completes already."""
    with shell("zsh", tmp_path) as started:
        started.send(f"{shlex.quote(sys.executable)} -m cloudcraft_onboard --install-completion\r")
        started.expect_exact("zsh completion installed in")
        started.expect_exact("ready> ")
        (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
        setup = SETUPS["zsh"][2].replace("autoload", "fpath+=~/.zfunc; autoload", 1)
        (tmp_path / ".zshrc").write_text(setup, encoding="utf-8")
        started.send("exec zsh -i\r")
        started.expect_exact("ready> ")
        started.send("onboard run m.yaml --only Prod\t\r")
        started.expect_exact("read: --only|read: Production|")


COMMANDS = [
    "$(touch ran)",
    r"\$(touch ran)",
    "'))'; touch ran; '",
    '\\"; touch ran; \\"',
    "`touch ran`",
]
QUOTES = {"none": "", "double": '"', "single": "'", "dollar": "$'", "late": 'Z"', "escaped": "\\"}


@pytest.mark.parametrize("name", ["bash", pytest.param("zsh", marks=ZSH.or_skip)])
@pytest.mark.parametrize("quote", QUOTES)
def test_no_name_runs_a_command(name: str, quote: str, tmp_path: Path) -> None:
    """Neither at Tab nor at Enter, alone or among others, in whichever quotes."""
    accounts = [
        account
        for number, command in enumerate(COMMANDS)
        for account in (
            {"name": f"Z{number} {command}", "account_id": f"{10**11 + number}"},
            {"name": f"Zulu {number}", "profile": f"q{number} {command}"},
            {"name": f"Yak {number}", "profile": f"r{number}", "tags": {"Zone": command}},
        )
    ]
    manifest = json.dumps({"version": 1, "accounts": accounts})
    (tmp_path / "m.yaml").write_text(manifest, encoding="utf-8")
    opened = QUOTES[quote]
    with shell(name, tmp_path) as started:
        for typed in ("Z\t\t", "1\t\t", *(f"Z{number}\t\r" for number in range(len(COMMANDS)))):
            rest = typed.removeprefix("Z") if quote == "late" else typed
            started.send(f"onboard plan m.yaml --only {opened}{rest}\x03\r")
            started.expect_exact("ready> ")
        started.send("\x03\rprintf 'the %s\\n' end\r")
        started.expect_exact("the end")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("opened", ["", '"', "'"])
def test_bash_inserts_the_id_of_a_name_that_it_could_read_something_into(
    opened: str, tmp_path: Path
) -> None:
    account = {"name": "Zeta \\$(touch ran)", "account_id": "111122223333"}
    (tmp_path / "m.yaml").write_text(
        json.dumps({"version": 1, "accounts": [account]}), encoding="utf-8"
    )
    with shell("bash", tmp_path) as started:
        started.send(f"onboard plan m.yaml --only {opened}Zet\t\r")
        started.expect_exact("read: plan|read: m.yaml|read: --only|read: 111122223333|")
