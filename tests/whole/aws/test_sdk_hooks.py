"""What `aws/sdk.py` replaces inside of botocore: the first to fail when botocore changes it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.configloader
import botocore.session
import pytest
from botocore.credentials import ProcessProvider, create_credential_resolver
from botocore.model import ServiceModel, StructureShape
from botocore.regions import EndpointResolver

from cloudcraft_onboard.aws.calls import Call
from cloudcraft_onboard.aws.data import ENDPOINTS, shorten
from cloudcraft_onboard.aws.sdk import Sdk
from cloudcraft_onboard.aws.signing import KEYS

ROLE = "arn:aws:iam::222222222222:role/Entry"
SERIAL = "arn:aws:iam::111111111111:mfa/me"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> botocore.session.Session:
    """A session of a profile that assumes a role, with a code, by keys that a process prints."""
    printed = tmp_path / "keys.json"
    keys = {"Version": 1, "AccessKeyId": "AKIAKEYSOFAPROCESS", "SecretAccessKey": "secret"}
    printed.write_text(json.dumps(keys))
    config = tmp_path / "config"
    config.write_text(
        f"[profile role]\nrole_arn = {ROLE}\nsource_profile = source\nmfa_serial = {SERIAL}\n"
        f"[profile source]\ncredential_process = cat {printed}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    return botocore.session.Session(profile="role")


class Sts:
    """What stands for an STS client; `made` is how it was created."""

    def __init__(self, made: list[dict[str, Any]], service: str, **keys: Any) -> None:
        made.append({"service": service, **keys})

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        assert (asked["RoleArn"], asked["TokenCode"]) == (ROLE, "123456")
        expiry = datetime.now(UTC) + timedelta(hours=1)
        given = ("ASIAOFTHEROLE", "secret", "token", expiry)
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        return {"Credentials": dict(zip(names, given, strict=True))}


def test_what_is_replaced_is_there_and_used(session: botocore.session.Session) -> None:
    """A new name for one of these would leave ours unused: each profile with its own client, a
    question amid the display, a process that outlives the program."""
    resolver = create_credential_resolver(session, cache={})
    asking: Any = resolver.get_provider("assume-role")
    assert callable(asking._prompter)
    assert callable(asking._client_creator)
    builder = asking._profile_provider_builder
    assert isinstance(builder._create_process_provider("source"), ProcessProvider)

    asked: list[str] = []
    made: list[dict[str, Any]] = []
    started: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "123456"

    def process(profile_name: str) -> ProcessProvider:
        started.append(profile_name)
        return ProcessProvider(
            profile_name=profile_name,
            load_config=lambda: session.full_config,
            popen=subprocess.Popen,
        )

    asking._prompter = answer
    asking._client_creator = lambda service, **keys: Sts(made, service, **keys)
    builder._create_process_provider = process
    credentials = resolver.load_credentials()
    assert credentials is not None
    assert credentials.get_frozen_credentials().access_key == "ASIAOFTHEROLE"
    assert asked == [f"Enter MFA code for {SERIAL}: "]
    (client,) = made
    assert client["service"] == "sts"
    assert client.keys() >= set(KEYS)
    assert client[KEYS[0]] == "AKIAKEYSOFAPROCESS"
    assert set(started) == {"source"}


def test_each_file_is_parsed_once_however_many_profiles_name_another_as_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, keys = tmp_path / "config", tmp_path / "credentials"
    config.write_text(
        "".join(f"[profile p{n}]\nrole_arn = {ROLE}\nsource_profile = hub\n" for n in range(5))
    )
    keys.write_text("[hub]\naws_access_key_id = AKIAHUB\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    parsed: Counter[str] = Counter()
    parse = botocore.configloader.raw_config_parse

    def counted(path: str, **how: Any) -> dict[str, Any]:
        parsed[Path(path).name] += 1
        return parse(path, **how)

    monkeypatch.setattr(botocore.configloader, "raw_config_parse", counted)
    sdk = Sdk(concurrency=1, retries=0)
    found = [sdk.credentials(sdk.session(f"p{n}"), "us-east-1") for n in range(5)]
    assert {credentials.method for credentials in found} == {"assume-role"}
    once = parsed.copy()
    assert once["credentials"] <= 2  # the profiles' names, and the keys
    sdk.credentials(sdk.session("p0"), "us-east-1")
    assert parsed == once


CALLED = {call.service for call in Call} | {"sso-oidc", "signin"}  # and the credential providers'


def models(session: botocore.session.Session) -> dict[str, ServiceModel]:
    return {service: session.get_service_model(service) for service in CALLED}


def test_what_is_left_out_of_the_sdks_data_is_documentation_and_others_endpoints() -> None:
    whole, short = botocore.session.Session(), botocore.session.Session()
    shorten(short)
    theirs, ours = models(whole), models(short)
    assert theirs["iam"].operation_model("GetRole").documentation
    assert not ours["iam"].operation_model("GetRole").documentation
    for service, model in theirs.items():
        assert model.metadata == ours[service].metadata
        assert model.operation_names == ours[service].operation_names
        assert model.shape_names == ours[service].shape_names
        for name in model.shape_names:
            shape, mine = model.shape_for(name), ours[service].shape_for(name)
            assert (shape.type_name, shape.serialization) == (mine.type_name, mine.serialization)
            if isinstance(shape, StructureShape) and isinstance(mine, StructureShape):
                assert list(shape.members) == list(mine.members)


def test_every_service_that_is_called_has_the_sdks_endpoints() -> None:
    whole, short = botocore.session.Session(), botocore.session.Session()
    shorten(short)
    assert {model.endpoint_prefix for model in models(short).values()} <= ENDPOINTS
    partitions = whole.get_available_partitions()
    assert partitions == short.get_available_partitions()
    theirs, ours = (EndpointResolver(session.get_data("endpoints")) for session in (whole, short))
    for service in sorted(ENDPOINTS):
        for partition in partitions:
            regions = theirs.get_available_endpoints(service, partition, allow_non_regional=True)
            assert regions == ours.get_available_endpoints(
                service, partition, allow_non_regional=True
            )
            for region in {*regions, "us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"}:
                assert theirs.construct_endpoint(service, region) == ours.construct_endpoint(
                    service, region
                )


def test_tests_read_what_comes_with_the_sdk_once() -> None:
    """Each program has an SDK of its own: to read it all again would take a fifth of their time."""
    first, second = (
        Sdk(concurrency=1, retries=0).session(None).get_component("data_loader") for _ in range(2)
    )
    assert first is not second
    assert first.load_data("endpoints") is second.load_data("endpoints")
