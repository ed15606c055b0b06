"""The README says everything that the program takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import cloudcraft_onboard
from cloudcraft_onboard.cli.main import app
from cloudcraft_onboard.sandbox.seed import DATADOG
from tests.pure.test_imports import MAY_IMPORT

ROOT = Path(cloudcraft_onboard.__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Typer brings its own Click along; its classes are not to be relied on.
COMMANDS: dict[str, Any] = getattr(typer.main.get_command(app), "commands")  # noqa: B009
SHELLS_OWN = {"--help", "-h", "--install-completion", "--show-completion"}


def options() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                if option.startswith("-") and option not in SHELLS_OWN:
                    yield name, option


def variables() -> set[str]:
    sources = (ROOT / "cloudcraft_onboard").rglob("*.py")
    return {
        word
        for source in sources
        if "sandbox" not in source.parts
        for word in re.findall(r'"((?:CLOUDCRAFT|GITHUB)_[A-Z_]+)"', source.read_text("utf-8"))
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"`onboard {name}" in README


def test_every_option_stands_in_the_readme() -> None:
    written = set(re.findall(r"(?<=[`\s])--?[\w-]+(?=[`\s,|])", README))
    known = sorted(options())
    assert len(known) > 100
    assert [f"onboard {name} {option}" for name, option in known if option not in written] == []


@pytest.mark.parametrize("variable", sorted(variables()))
def test_every_environment_variable_stands_in_the_readme(variable: str) -> None:
    assert f"`{variable}`" in README


def test_every_tag_of_the_sandbox_stands_in_the_manifest_that_lists_them() -> None:
    seed = (ROOT / "cloudcraft_onboard" / "sandbox" / "seed.py").read_text("utf-8")
    tags = {DATADOG, *re.findall(r'"([\w-]+)" in states?\b', seed)}
    for several in re.findall(r"state & \{(.*?)\}", seed):
        tags |= set(re.findall(r'"([\w-]+)"', several))
    listing = (ROOT / "manifests" / "trouble.yaml").read_text("utf-8")
    assert set(re.findall(r"^#   ([\w-]+)  ", listing, re.MULTILINE)) == tags
    assert len(tags) > 10


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.epilog
    assert f"onboard {name}" in command.epilog


@pytest.mark.parametrize(("name", "command"), COMMANDS.items(), ids=list(COMMANDS))
def test_every_option_has_one_line_of_help(name: str, command: Any) -> None:
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"onboard {name} {parameter.name}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_the_guides_name_only_what_is_there(name: str) -> None:
    guide = (ROOT / ".github" / name).read_text(encoding="utf-8")
    found = re.findall(r"`([\w./]+/[\w./]*)`", guide) + re.findall(r"(tests/[\w./]+)", guide)
    for path in found:
        places = (ROOT / path, ROOT / "cloudcraft_onboard" / path)
        assert any(place.exists() for place in places), path


def test_the_guide_tells_who_may_import_whom() -> None:
    guide = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for room in MAY_IMPORT:
        name = room.split(".")[0]
        assert name.startswith("__") or re.search(rf"`{name}/?`", guide), room


def test_whatever_make_is_asked_for_is_a_target() -> None:
    texts = [README, *(file.read_text("utf-8") for file in (ROOT / ".github").rglob("*.[my]*"))]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for text in texts:
        asked = re.findall(r"(?:`|run: |^    |^)make (\w+)", text, re.MULTILINE)
        assert set(asked) <= set(targets), set(asked) - set(targets)


def test_the_first_code_block_is_the_two_commands_of_a_fresh_machine() -> None:
    block = re.search(r"```\w*\n(.*?)```", README, re.DOTALL)
    assert block is not None
    assert [line.split()[:2] for line in block[1].splitlines()] == [
        ["make", "demo"],
        ["make", "test"],
    ]


ONLY_IN = {
    "--changed-since": {"plan", "run", "status"},
    "--exit-code": {"plan", "run", "status"},
    "--yes": {"remove"},
    "--unlisted": {"remove"},
    "--dry-run": {"remove", "run"},
    "--settle": {"plan", "remove", "run"},
    "--organization": {"init", "permissions", "status"},
}
"""Options that select, ask or decide, and the commands that the README gives them to."""


@pytest.mark.parametrize("option", ONLY_IN)
def test_no_command_has_an_option_that_the_readme_denies(option: str) -> None:
    assert {command for command, taken in options() if taken == option} == ONLY_IN[option]


def test_what_remove_denies_is_said() -> None:
    assert "`remove` (which has no `--changed-since` and no `--exit-code`)" in README
