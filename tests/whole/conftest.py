"""The servers: one local AWS and one local Cloudcraft for all tests of a process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cloudcraft_onboard.sandbox.world import start
from tests.support import groups
from tests.support.aws_proxy import AwsProxy
from tests.support.models import remember
from tests.support.nursery import nursery
from tests.support.world import MakeWorld, SandboxWorld, written

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

    from tests.support.organization import Organization
    from tests.support.stacksets import Company

PURE = Path(__file__).parents[1] / "pure"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups come first. Then each file's tests are spread over the run.

    Side by side, those of one file would all wait, or all compute. Pure tests, which are short,
    come last, so the processes end together.
    """
    groups.check(items)
    files = Counter(item.path for item in items)
    so_far: Counter[Path] = Counter()
    turns = {}
    for item in items:
        turns[item] = _turn(item, so_far[item.path] / files[item.path])
        so_far[item.path] += 1
    items.sort(key=turns.__getitem__)


def _turn(item: pytest.Item, part: float) -> float:
    if groups.group_of(item.nodeid):
        return -1.0
    return part + (PURE in item.path.parents)


@pytest.fixture(autouse=True, scope="session")
def _models() -> None:
    remember()


@pytest.fixture(autouse=True, scope="session")
def _nursery() -> Iterator[None]:
    yield
    if nursery.cache_info().currsize:
        nursery().close()


@pytest.fixture(scope="session")
def _servers() -> Iterator[SandboxWorld]:
    with start(control=True) as world, closing(SandboxWorld(world)) as servers:
        yield servers


@pytest.fixture
def make_world(
    _servers: SandboxWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[MakeWorld]:
    """Begin anew: a world seeded from a manifest, and the environment that points at it."""

    def make(manifest: Any = None, **options: Any) -> SandboxWorld:
        _servers.begin(written(manifest, tmp_path), **options)
        for name in _servers.unset:
            monkeypatch.delenv(name, raising=False)
        for name, value in _servers.env.items():
            monkeypatch.setenv(name, value)
        return _servers

    yield make
    _servers.tidy()


@pytest.fixture
def world(make_world: MakeWorld) -> SandboxWorld:
    """An organization without members, no limits worth mentioning."""
    return make_world()


@pytest.fixture
def aws_proxy(_servers: SandboxWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """A proxy in front of the local AWS; every world of this test is reached through it."""
    with AwsProxy(_servers.aws_url) as proxy:
        monkeypatch.setattr(_servers, "front", {"AWS_ENDPOINT_URL": proxy.url})
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    from tests.support.stacksets import moto  # noqa: PLC0415 - slow to import, for few tests

    with pytest.MonkeyPatch.context() as patch:
        yield from moto(patch)


@pytest.fixture
def company(
    _moto: str, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    """An organization with CloudFormation's StackSets."""
    from tests.support.stacksets import Company  # noqa: PLC0415 - slow to import, for few tests

    made = Company(_moto, make_world, monkeypatch)
    yield made
    made.close()


@pytest.fixture(scope="session")
def server() -> Iterator[ThreadedMotoServer]:
    from tests.support.organization import serving  # noqa: PLC0415 - slow to import, for few tests

    with serving() as server:
        yield server


@pytest.fixture
def organization(
    server: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Organization]:
    """AWS Organizations without an organization yet, and the environment that points at it."""
    from tests.support.organization import Organization  # noqa: PLC0415 - slow to import

    made = Organization(server, monkeypatch)
    yield made
    made.client.close()
