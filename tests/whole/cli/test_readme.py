"""Every command block of the README is run as it stands, in order, in one folder.

`onboard` is the real program on the local AWS and Cloudcraft. What would install packages or reach
AWS's own CLI is a stand-in that only takes what the real one would understand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pexpect
import pytest
import yaml

from cloudcraft_onboard.manifest.load import loads
from tests.support.process import HANG, door
from tests.support.world import MakeWorld, SandboxWorld

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")

COMPANY = """\
version: 1
defaults: {profile: org-admin, assume_role: OrganizationAccountAccessRole}
accounts:
  - {name: Management, account_id: "100000000001", tags: {sandbox: management}}
  - {name: Production, account_id: "100000000002", tags: {ou: Prod}}
  - {name: Payments, account_id: "100000000003", tags: {ou: Prod/Shop, sandbox: drifted}}
  - {name: Staging, account_id: "100000000004", tags: {ou: Test}}
  - name: Signed in
    account_id: "100000000005"
    sso: {session: corp, role: AdministratorAccess}
    tags: {sandbox: closed}
"""
PROFILE = """
[profile prod-web]
role_arn = arn:aws:iam::100000000002:role/admin
source_profile = org-admin
"""

RUN = """\
#!{python}
import os, sys
words = [word for word in sys.argv[1:]]
if words[:1] == ["run"]:  # pipx
    words.pop(0)
if words[:1] == ["--from"]:
    assert words[1] == ".", words
    words = words[2:]
assert words.pop(0) == "cloudcraft-onboard"
os.execv("{python}", ["{python}", "-W", "error", "-m", "cloudcraft_onboard", *words])
"""
INSTALL = """\
#!{python}
import os, sys
words = sys.argv[1:]
tool = os.path.basename(sys.argv[0])
if tool == "uv":
    assert words.pop(0) == "tool"
assert words.pop(0) == "install"
while words:
    word = words.pop(0)
    if word == "-r":
        assert os.path.isfile(words.pop(0))
    else:
        assert word in ("cloudcraft-onboard", ".", ".[sandbox]", "--require-hashes", "--no-deps",
                        "--no-build-isolation"), word
"""
MAKE = """\
#!/bin/sh
exec "{make}" --dry-run --directory "{root}" "$@" > /dev/null
"""
# A command of the AWS CLI is an operation of the SDK's model, and its options are the parameters.
AWS = """\
#!{python}
import sys
from botocore import xform_name
from botocore.session import Session
service, command, *words = sys.argv[1:]
options = [word[2:] for word in words if word.startswith("--")]
model = Session().get_service_model(service)
operations = {{xform_name(name, "-"): name for name in model.operation_names}}
shape = model.operation_model(operations[command]).input_shape
known = {{xform_name(name, "-") for name in shape.members}} if shape else set()
assert set(options) <= known, (options, known)
"""
JQ = """\
#!{python}
import json, sys
assert sys.argv[1:] == [".summary"]
print(json.dumps(json.load(sys.stdin)["summary"]))
"""


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def tools(folder: Path) -> None:
    """Put `onboard` and the stand-ins into a folder for the PATH."""
    folder.mkdir()
    (folder / "onboard").symlink_to(door())
    names = {"uvx": RUN, "pipx": RUN, "uv": INSTALL, "pip": INSTALL}
    for name, script in {**names, "make": MAKE, "aws": AWS, "jq": JQ}.items():
        text = script.format(python=sys.executable, root=ROOT, make="/usr/bin/make")
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)


def a_unit(world: SandboxWorld) -> str:
    """The ID of an organizational unit that the local AWS has."""
    client = boto3.client(
        "organizations",
        endpoint_url=world.aws_url,
        region_name="us-east-1",
        aws_access_key_id="100000000001",
        aws_secret_access_key=world.root_secret,
    )
    try:
        root = client.list_roots()["Roots"][0]["Id"]
        units = client.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    finally:
        client.close()
    return units[0]["Id"]


def environment(world: SandboxWorld, folder: Path) -> dict[str, str]:
    key = folder / ".config" / "cloudcraft.key"
    key.parent.mkdir()
    key.write_text(world.api_key, encoding="utf-8")
    own = {k: v for k, v in os.environ.items() if k not in world.unset}
    given = {**own, **world.env, "HOME": str(folder), "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    config = folder / ".aws-config"
    theirs = Path(given["AWS_CONFIG_FILE"]).read_text(encoding="utf-8")
    config.write_text(theirs + PROFILE, encoding="utf-8")
    given["AWS_CONFIG_FILE"] = str(config)
    given.pop("CLOUDCRAFT_API_KEY")  # the README's first line gives the file
    return {**given, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}


def executed(script: Path, folder: Path, variables: dict[str, str]) -> tuple[int | None, str]:
    """Run a script in a terminal, and say yes where it asks. `HANG` is for one of its commands."""
    commands = len(script.read_text("utf-8").splitlines())
    child = pexpect.spawn(
        "bash",
        ["--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=str(folder),
        env=variables,
        encoding="utf-8",
        dimensions=(40, 120),
        timeout=HANG * commands,
    )
    told = ""
    while child.expect([r"\[y/N\]:? ?", pexpect.EOF]) == 0:
        told += str(child.before)
        child.sendline("y")
    told += str(child.before)
    child.close()
    return child.exitstatus, told


@pytest.mark.timeout(900)
def test_every_command_block_works_as_it_stands(make_world: MakeWorld, tmp_path: Path) -> None:
    world = make_world(COMPANY)
    tools(tmp_path / "bin")
    variables = environment(world, tmp_path)
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / ".github").symlink_to(ROOT / ".github")
    (tmp_path / "accounts.csv").write_text("account_id,name\n100000000002,Production\n")
    unit = a_unit(world)
    found = blocks()
    called = set(re.findall(r"\bonboard (\w+)", "".join(found)))
    assert called >= {"init", "validate", "plan", "run", "status", "remove", "sandbox"}
    exports = ""
    for number, written in enumerate(found):
        block = written.replace("ou-ab12-11111111", unit)
        if "onboard sandbox" in block:
            assert_sandbox(block, tmp_path, variables)
            continue
        script = tmp_path / f"block-{number}.sh"
        script.write_text(exports + block, encoding="utf-8")
        code, told = executed(script, tmp_path, variables)
        assert code == 0, f"{block}\n{told}"
        exports += "".join(f"{line}\n" for line in block.splitlines() if line.startswith("export "))
    assert world.registered == []
    assert (tmp_path / "results.html").is_file()
    assert (tmp_path / "status.html").is_file()


def assert_sandbox(block: str, folder: Path, variables: dict[str, str]) -> None:
    """The first line stays up, the rest is for another shell."""
    first, *rest = block.splitlines()
    (folder / "sandbox.sh").write_text(f"exec {first}\n", encoding="utf-8")
    (folder / "rest.sh").write_text("\n".join(rest), encoding="utf-8")
    with subprocess.Popen(["bash", "sandbox.sh"], cwd=folder, env=variables) as up:
        try:
            until = time.monotonic() + HANG
            told = folder / "sandbox.env"
            while not (told.is_file() and "CLOUDCRAFT_API_KEY" in told.read_text("utf-8")):
                assert time.monotonic() < until
                assert up.poll() is None
                time.sleep(0.05)
            code, said = executed(folder / "rest.sh", folder, variables)
            assert code == 0, said
        finally:
            up.terminate()
            up.wait(HANG)


def yaml_blocks(word: str) -> list[str]:
    found = re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [block for block in found if word in block]


def test_the_example_manifests_are_valid() -> None:
    (example,) = yaml_blocks("yaml-language-server")
    assert len(loads("README.md", example.encode()).accounts) == 3
    (stack_set,) = yaml_blocks("organizational_units:")
    accounts = 'accounts:\n  - {name: A, account_id: "111122223333"}\n'
    manifest = loads("README.md", f"version: 1\n{stack_set}{accounts}".encode())
    assert manifest.accounts[0].role.via == "stackset"


def test_the_example_of_the_action_gives_only_what_it_takes() -> None:
    (example,) = yaml_blocks("uses: ./.github/actions/onboard")
    (step,) = yaml.safe_load(example)
    action = yaml.safe_load((ROOT / ".github/actions/onboard/action.yml").read_text("utf-8"))
    assert set(step["with"]) <= set(action["inputs"])


def example(command: str) -> str:
    if command == "status":
        return (ROOT / ".github" / "examples" / "status.json").read_text(encoding="utf-8")
    (found,) = re.findall(r"^```json\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(("command", "told"), [("run", "1 created"), ("status", "1 uncovered")])
def test_the_json_reports_can_be_read_by_onboard_report(
    command: str, told: str, tmp_path: Path
) -> None:
    assert json.loads(example(command))["command"] == command
    file = tmp_path / "results.json"
    file.write_text(example(command), encoding="utf-8")
    again = tmp_path / "again.json"
    ended = subprocess.run(
        [sys.executable, "-m", "cloudcraft_onboard", "report", file, "--report", again],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert told in ended.stdout
    assert json.loads(again.read_text("utf-8")) == json.loads(example(command))


def anchor(heading: str) -> str:
    """A heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_links_inside_lead_somewhere() -> None:
    text = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
    headings = {anchor(found) for found in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, place = target.partition("#")
        assert not path or (ROOT / path).exists(), target
        assert not place or place in headings, target


def test_pictures_are_there_and_have_a_text() -> None:
    for picture in re.findall(r'(?:src|srcset)="([^"]+)"', README):
        assert (ROOT / picture).is_file(), picture
    assert all(len(text) > 40 for text in re.findall(r'alt="([^"]*)"', README))
    assert README.count("<img") == README.count("alt=")
