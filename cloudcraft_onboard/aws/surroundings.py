"""What this machine's settings have to do with an error: variables, config files, regions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as sdk

from cloudcraft_onboard.aws.lasting import NO_BUNDLE
from cloudcraft_onboard.aws.origin import OF_THEIR_OWN
from cloudcraft_onboard.aws.parsing import parse_trouble
from cloudcraft_onboard.aws.sections import ignored
from cloudcraft_onboard.blame.facts import Facts

_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")

ENABLED_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Regions of the partition `aws` that no account has to enable (AWS Account Management guide)."""

_OTHER_PARTITIONS = ("us-gov-", "cn-", "us-iso", "eu-isoe-", "eusc-")


def of_missing_profile(facts: Facts, name: str, profiles: Sequence[str]) -> Facts:
    """Why a profile is not found."""
    gone = [variable for variable in _FILES if _names_nothing(os.environ.get(variable, ""))]
    if _FILES[0] in gone:
        return replace(facts, leftover=gone[0], value=os.environ[gone[0]])
    if passed_over := of_ignored(facts, lambda section: section == name):
        return passed_over
    if f"profile {name}" in profiles:  # in the credentials file, where `profile` is part of a name
        return replace(facts, ignored=f"[{name}]", file="the AWS credentials file")
    return replace(
        facts,
        also_missing="".join(gone),
        nearest=" or ".join(_nearest(name, profiles)),
        variable="" if facts.profile else _profile_variable(name),
        own_credentials="yes" if any(each in os.environ for each in OF_THEIR_OWN) else "",
    )


_FEW = 50
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_."


def _nearest(name: str, profiles: Sequence[str]) -> list[str]:
    """Profiles that may be meant.

    Of many, those that differ in one place alone: comparing 3,000 names with as many takes minutes.
    """
    if len(profiles) <= _FEW:
        return get_close_matches(name, profiles, n=3, cutoff=0.5)
    there = {profile.lower(): profile for profile in profiles}
    word = name.lower()
    parts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    tries = [word, *(head + tail[1:] for head, tail in parts if tail)]
    tries += [head + tail[1] + tail[0] + tail[2:] for head, tail in parts if len(tail) > 1]
    tries += [head + letter + tail for head, tail in parts for letter in _LETTERS]
    tries += [head + letter + tail[1:] for head, tail in parts if tail for letter in _LETTERS]
    return [there[each] for each in dict.fromkeys(tries) if each in there][:3]


def of_ignored(facts: Facts, named: Callable[[str], bool]) -> Facts | None:
    """What is blamed is in the AWS config, in a section that the SDK ignores."""
    section = next((each for each in ignored() if named(each.name)), None)
    if section is None:
        return None
    return replace(facts, ignored=section.mend, line=str(section.line), file=section.path)


def _names_nothing(path: str) -> bool:
    return bool(path) and not Path(os.path.expandvars(path)).expanduser().exists()


def _profile_variable(name: str) -> str:
    for variable in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        if os.environ.get(variable) == name:
            return variable
    return "AWS_PROFILE"


def of_config(facts: Facts, error: sdk.ConfigParseError) -> Facts:
    """Which line of the AWS config the SDK's parser stumbled over, and why."""
    told: Mapping[str, object] = {**error.kwargs}
    path = str(told.get("path", ""))
    if "error" not in told:
        return facts
    line, reason = parse_trouble(path, told["error"])
    return replace(facts, file=path, line=str(line or ""), reason=reason)


def of_region(facts: Facts, region: str) -> Facts:
    """Whether the region that was asked is one that accounts have to enable, or none at all."""
    if not region:
        return facts
    told = replace(facts, region=region)
    if region in ENABLED_BY_DEFAULT or region.startswith(_OTHER_PARTITIONS):
        return told
    return replace(told, opt_in=region)


def of_network(facts: Facts, error: Any) -> Facts:
    """Which setting sends requests where nothing usable answers."""
    if isinstance(error, sdk.ProxyConnectionError):
        return replace(facts, variable=_proxy_variable())
    if isinstance(error, sdk.SSLError) and NO_BUNDLE.search(str(error)):
        return of_bundle(facts)
    url = str(error.kwargs.get("endpoint_url", "")) if hasattr(error, "kwargs") else ""
    if url and not _of_aws(url):
        return of_endpoint(facts, url)
    if isinstance(error, sdk.SSLError):
        variable = next((each for each in _BUNDLES if os.environ.get(each)), "")
        return replace(facts, variable=variable, value=os.environ.get(variable, ""))
    return facts if _known(facts.region) else replace(facts, unknown_region=facts.region)


def of_endpoint(facts: Facts, url: str) -> Facts:
    """Which setting names an endpoint that is not AWS's own."""
    parts = urlsplit(url)
    value = f"{parts.scheme}://{parts.netloc}" if parts.netloc else url
    return replace(facts, leftover=_endpoint_variable(url), value=value)


def of_bundle(facts: Facts) -> Facts:
    """Which setting names a file of certificates that cannot be used."""
    given = [each for each in _BUNDLES if os.environ.get(each)]
    bad = [each for each in given if not Path(os.environ[each]).expanduser().is_file()]
    if not given:
        return replace(facts, ca_bundle="`ca_bundle` in the AWS config file")
    first = (bad or given)[0]
    return replace(facts, ca_bundle=first, value=os.environ[first].strip())


def _proxy_variable() -> str:
    names = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
    return next((name for name in names if os.environ.get(name)), "")


def _of_aws(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu"))


def endpoint_variable(service: str) -> str:
    """The variable that sends a service's requests elsewhere than to AWS; empty without one."""
    names = (f"AWS_ENDPOINT_URL_{service.upper()}", "AWS_ENDPOINT_URL")
    return next((name for name in names if os.environ.get(name)), "")


def _endpoint_variable(url: str) -> str:
    """The setting that names this endpoint; the config's key where no variable does."""
    there = urlsplit(url).netloc
    for name, value in sorted(os.environ.items(), reverse=True):
        same = value == url or (there and urlsplit(value).netloc == there)
        if name.startswith("AWS_ENDPOINT_URL") and same:
            return name
    return "`endpoint_url` in the AWS config"


def _known(region: str) -> bool:
    """Whether the SDK knows a region of that name, in any partition."""
    if not region or region in ENABLED_BY_DEFAULT:
        return True
    import botocore.session  # noqa: PLC0415 - only where something failed

    session = botocore.session.Session()
    return any(
        region in session.get_available_regions("ec2", partition)
        for partition in session.get_available_partitions()
    )
