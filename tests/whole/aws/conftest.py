"""The local AWS with one hub and two members, directly and through a proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudcraft_onboard.aws.session import BotoAws
from tests.support.aws_proxy import AwsProxy
from tests.support.world import MakeWorld, SandboxWorld
from tests.whole.aws.support import OTHER, hub, member, opened


@pytest.fixture
def org(make_world: MakeWorld) -> SandboxWorld:
    """A hub, entered by the profile `hub`, and two members that trust it."""
    return make_world([hub(), member(), member(OTHER)])


@pytest.fixture
def aws(org: SandboxWorld) -> Iterator[BotoAws]:
    """The way into the organization's accounts; nothing is sent twice."""
    assert org.aws_url
    with opened() as aws:
        yield aws


@pytest.fixture
def proxy(org: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """A proxy in front of the organization; clients that are made from now on go through it."""
    with AwsProxy(org.aws_url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy
