"""GitHub's runner, as far as composite actions need it: their shell steps run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.process import HANG

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_CHOSEN = re.compile(r"(\S+) && format\('([^']*)', (\S+)\)")
_OUTPUT = re.compile(r"(?:^|\n)([\w-]+)(?:=(.*)|<<(.+)\n((?:.*\n)*?)\3)(?=\n)")

# Answers `gh api` for the comments of one pull request, which it keeps in $GH_STATE.
GH = r"""#!/usr/bin/env python3
import json, os, re, sys
state, words = os.environ["GH_STATE"], sys.argv[1:]
assert words.pop(0) == "api" and os.environ["GH_TOKEN"]
comments = json.load(open(state)) if os.path.exists(state) else []
options = {w: words[i + 1] for i, w in enumerate(words[:-1]) if w in ("-X", "-F", "--jq")}
address = next(w for w in words if w.startswith("repos/"))
if "--jq" in options:
    mark = re.search(r'startswith\("(.*?)"\)', options["--jq"])[1]
    for comment in comments:
        if comment["bot"] and comment["body"].startswith(mark):
            print(comment["id"])
    sys.exit()
name, _, file = options["-F"].partition("=@")
assert name == "body"
body = open(file, encoding="utf-8").read()
assert len(body) <= 65536, "GitHub: Body is too long"
if options.get("-X") == "PATCH":
    (comment,) = [c for c in comments if address.endswith("/issues/comments/%d" % c["id"])]
    comment["body"] = body
else:
    assert address.endswith("/issues/7/comments"), address
    comments.append({"id": 100 + len(comments), "bot": True, "body": body})
json.dump(comments, open(state, "w"))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a shell step left."""

    code: int
    log: str
    outputs: dict[str, str]


@dataclass(kw_only=True, slots=True)
class Runner:
    """One job: its temporary folder, what expressions are worth, what the steps left."""

    folder: Path
    action: dict[str, Any]
    environment: Mapping[str, str]
    inputs: dict[str, str]
    github: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)

    def value(self, expression: str) -> str:
        """What an expression such as `inputs.manifest` is worth."""
        if chosen := _CHOSEN.fullmatch(expression):
            condition, text, filler = chosen.groups()
            return text.replace("{0}", self.value(filler)) if self.value(condition) else ""
        place, _, name = expression.partition(".")
        if place == "inputs":
            default = str(self.action["inputs"][name].get("default", ""))
            return self.filled(self.inputs.get(name, default))
        if place in {"github", "vars"}:
            return (self.github if place == "github" else self.variables).get(name, "")
        found = re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", expression)
        assert found, f"this runner does not know {expression}"
        step = self.steps.get(found[1])
        return step.outputs.get(found[2], "") if step else ""

    def filled(self, text: str) -> str:
        """`text` with its expressions' values."""
        return _EXPRESSION.sub(lambda found: self.value(found[1]), text)

    def wanted(self, condition: str) -> bool:
        """Whether a step runs: an `if` of comparisons joined by `&&`."""
        failed = any(step.code for step in self.steps.values())
        parts = [part.strip() for part in _EXPRESSION.sub(r"\1", condition).split("&&")]
        if not {"!cancelled()", "always()"} & set(parts) and failed:
            return False
        return all(self._true(part) for part in parts)

    def _true(self, part: str) -> bool:
        if part in {"", "!cancelled()", "always()"}:
            return True
        name, _, other = part.partition(" == ")
        return self.value(name) == other.strip("'") if other else bool(self.value(name))

    def script(self, step: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
        """A shell step's command and environment, as GitHub starts it."""
        assert step["shell"] == "bash"
        file = self.folder / "script.sh"
        file.write_text(self.filled(step["run"]), encoding="utf-8")
        env = {name: self.filled(text) for name, text in step.get("env", {}).items()}
        output = self.folder / "output"
        output.write_text("", encoding="utf-8")
        own = {"RUNNER_TEMP": str(self.folder), "GITHUB_OUTPUT": str(output)}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)]
        return command, {**self.environment, **own, **env}

    def run(self, skip: tuple[str, ...] = ()) -> None:
        """Run the action's shell steps in turn; those that are named in `skip` count as done."""
        for number, step in enumerate(self.action["runs"]["steps"]):
            name = step.get("name", "")
            if "run" not in step or name in skip or not self.wanted(step.get("if", "")):
                continue
            command, environment = self.script(step)
            ended = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                timeout=HANG,
                check=False,
            )
            self.steps[step.get("id", str(number))] = Step(
                code=ended.returncode, log=ended.stdout, outputs=self.outputs_written()
            )

    def outputs_written(self) -> dict[str, str]:
        """What the last script wrote to GITHUB_OUTPUT."""
        text = (self.folder / "output").read_text(encoding="utf-8")
        return {
            found[1]: found[2] if found[3] is None else found[4].rstrip("\n")
            for found in _OUTPUT.finditer(text)
        }

    @property
    def outputs(self) -> dict[str, str]:
        """The action's own outputs."""
        declared = self.action["outputs"].items()
        return {name: self.filled(output["value"]) for name, output in declared}


def loaded(file: Path) -> dict[str, Any]:
    """A workflow or an action; "on" stays a text, where YAML 1.1 reads a truth value."""
    document: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)
    return document


def comments(state: Path) -> list[dict[str, Any]]:
    """The pull request's comments, as the stand-in for `gh` keeps them."""
    found: list[dict[str, Any]] = json.loads(state.read_text(encoding="utf-8"))
    return found
