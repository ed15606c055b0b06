"""The workflow for new accounts, run over nights in which the organization changes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.actions import loaded
from tests.support.organization import Organization
from tests.support.process import HANG, door, environment_with

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "new-accounts.yml"
GH = '#!/bin/sh\necho "$@" >> "$PULL_REQUESTS"\n'


def scripts() -> list[str]:
    """Its steps, but for those that install."""
    steps = loaded(WORKFLOW)["jobs"]["update"]["steps"]
    return [step["run"] for step in steps if "run" in step and step["name"] != "Install"]


class Repository:
    """The main branch and its remote; each night begins with a fresh checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests = folder / "pull-requests"
        self.main = folder / "main"
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "onboard").symlink_to(door())
        (bin_folder / "gh").write_text(GH, encoding="utf-8")
        (bin_folder / "gh").chmod(0o755)
        self.environment = environment_with(
            {
                "PATH": f"{bin_folder}:/usr/bin:/bin",
                "PULL_REQUESTS": str(self.requests),
                "PYTHONPATH": str(ROOT),
                "GIT_CONFIG_GLOBAL": "/dev/null",
            }
        )
        self.git("init", "-q", "--bare", "-b", "main", str(folder / "remote.git"), at=folder)
        self.git("clone", "-q", str(folder / "remote.git"), str(self.main), at=folder)

    def git(self, *words: str, at: Path | None = None) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        done = subprocess.run(
            ["git", *identity, *words],
            cwd=at or self.main,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=HANG,
            check=True,
        )
        return done.stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "the manifest")
        self.git("push", "-q", "origin", "HEAD:main")

    def night(self) -> list[str]:
        """Run the workflow; the lines that its pull request changes, none without one."""
        self.requests.unlink(missing_ok=True)
        checkout = self.folder / "checkout"
        shutil.rmtree(checkout, ignore_errors=True)
        self.git("clone", "-q", str(self.folder / "remote.git"), str(checkout), at=self.folder)
        for script in scripts():
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=checkout,
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=HANG,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        if not self.requests.exists():
            return []
        assert self.requests.read_text("utf-8").splitlines() == [
            "auth setup-git",
            "pr create --fill --head new-accounts",
        ]
        self.git("fetch", "-q", "origin")
        told = self.git("diff", "-U0", "origin/main", "origin/new-accounts")
        changed = re.findall(r"^[+-](?![+-]{2}).*$", told, re.MULTILINE)
        self.git("merge", "-q", "--ff-only", "origin/new-accounts")
        self.git("push", "-q", "origin", "HEAD:main")
        return changed


@pytest.mark.timeout(600)
def test_each_night_with_a_change_makes_one_pull_request_and_a_quiet_one_none(
    organization: Organization, tmp_path: Path
) -> None:
    root = organization.create()
    prod, test = organization.unit("Prod", root), organization.unit("Test", root)
    organization.account("Shop", prod)
    closing, moving = organization.account("Old", test), organization.account("Lab", test)
    repository = Repository(tmp_path)
    manifest = repository.main / "manifests" / "org.yaml"
    manifest.parent.mkdir()
    subprocess.run(
        [
            repository.environment["PATH"].split(":")[0] + "/onboard",
            "init",
            "--organization",
            "-f",
            str(manifest),
        ],
        env=repository.environment,
        check=True,
        capture_output=True,
        timeout=HANG,
    )
    repository.commit()

    assert repository.night() == [], "nothing has changed"

    new = organization.account("New", prod)
    assert repository.night() == [
        "+  - name: New",
        f'+    account_id: "{new}"',
        "+    tags: {ou: Root/Prod}",
    ]

    organization.client.close_account(AccountId=closing)
    assert repository.night() == ["+    enabled: false"]

    organization.client.move_account(
        AccountId=moving, SourceParentId=test, DestinationParentId=prod
    )
    assert repository.night() == ["-    tags: {ou: Root/Test}", "+    tags: {ou: Root/Prod}"]

    assert repository.night() == [], "a quiet night"
