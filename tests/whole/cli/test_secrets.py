"""Keys and tokens reach no output, at any verbosity, also when things go wrong."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import faults
from tests.support.aws_proxy import EXPIRED, SCP, AwsProxy
from tests.support.onboarding import hub
from tests.support.process import HANG, door
from tests.support.world import MakeWorld

CREDENTIALS_IN_THE_CLEAR = re.compile(
    r"<(SecretAccessKey|SessionToken)>(?!\[)|'(SecretAccessKey|SessionToken)': '(?!\[)"
    r"|Bearer (?!\[)\S|Signature=(?!\[)\w",
)


def secrets() -> set[str]:
    """The API key, and every key of the AWS profiles that is no account ID."""
    profiles = configparser.ConfigParser()
    profiles.read(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    values = {
        value
        for section in profiles.values()
        for name, value in section.items()
        if name in {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    }
    assert len(values) >= 2
    return {os.environ["CLOUDCRAFT_API_KEY"], *(v for v in values if not v.isdigit())}


@pytest.mark.parametrize("verbosity", ["-q", "-v", "-vv"])
def test_no_secret_is_shown_or_written(
    make_world: MakeWorld, aws_proxy: AwsProxy, tmp_path: Path, verbosity: str
) -> None:
    world = make_world(hub(6))
    assert world.manifest is not None
    key = os.environ["CLOUDCRAFT_API_KEY"]
    world.fault(
        faults.error(400, f"the key {key} is odd", processed=False, **faults.REGISTERING),
        faults.reset(processed=True, **faults.REGISTERING),
    )
    aws_proxy.deny("CreateRole", SCP, times=1)
    aws_proxy.trouble("GetRole", **EXPIRED, times=1)
    reports = [tmp_path / f"r{suffix}" for suffix in (".json", ".md", ".html", ".xml", ".csv")]
    options = [verbosity, "--settle=0", *(f"--report={report}" for report in reports)]
    done = subprocess.run(
        [door(), "run", world.manifest.path, *options],
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert done.returncode == 1
    said = done.stdout + done.stderr + "".join(report.read_text("utf-8") for report in reports)
    assert {secret for secret in secrets() if secret in said} == set()
    assert CREDENTIALS_IN_THE_CLEAR.search(said) is None
    if verbosity == "-vv":
        assert "SessionToken" in said  # the SDK's log was there to be redacted
