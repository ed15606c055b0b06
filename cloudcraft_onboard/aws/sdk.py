"""A shared SDK: one loader of service models, one parse of the config files, few clients.

A boto3 session and a client per account cost more than all the calls made with them. Here one
client serves every account that is reached over the same endpoint: whose credentials sign a
request is looked up at the moment of signing, so connections are kept and memory stays flat.
"""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import botocore.configloader
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    ConfigProvider,
    CredentialResolver,
    Credentials,
    ProcessProvider,
    SharedCredentialProvider,
    create_credential_resolver,
)
from botocore.exceptions import (
    CredentialRetrievalError,
    InvalidConfigError,
    NoCredentialsError,
)
from botocore.hooks import HierarchicalEmitter
from botocore.parsers import ResponseParserFactory
from botocore.utils import JSONFileCache, parse_timestamp

from cloudcraft_onboard import __version__
from cloudcraft_onboard.aws.data import shorten
from cloudcraft_onboard.aws.lasting import tell_at_once
from cloudcraft_onboard.aws.processes import Processes
from cloudcraft_onboard.aws.signing import KEYS, CurrentProvider, Lent, as_fault
from cloudcraft_onboard.aws.tls import read_bundle_once

_CLI_CACHE = "~/.aws/cli/cache"
_CONNECT_TIMEOUT = 10
_READ_TIMEOUT = 30


class _Session(botocore.session.Session):
    """A session that shares what each of a thousand profiles would otherwise build for itself."""

    def __init__(self, profile: str | None, shared: _Shared) -> None:
        self._given = profile
        self._shared = shared
        # Registering its 120 handlers is nearly all that a session costs.
        include = shared.hooks is None
        shared.hooks = shared.hooks or HierarchicalEmitter()
        super().__init__(
            profile=profile, event_hooks=shared.hooks, include_builtin_handlers=include
        )
        if include:
            tell_at_once(shared.hooks)
        self.get_scoped_config()  # raises for a profile that isn't there
        if shared.loader is None:
            shorten(self)
            shared.loader = self.get_component("data_loader")
        self.register_component("data_loader", shared.loader)
        self.register_component("response_parser_factory", shared.parsers)

    @property
    def full_config(self) -> dict[str, Any]:
        if self._shared.config is None:
            self._shared.config = super().full_config
        return self._shared.config

    def twin(self) -> _Session:
        """A session for clients that everybody signs with; the settings are the same."""
        return type(self)(self._given, self._shared)


class SsoSession(_Session):
    """A session whose only profile has the settings of one `[sso-session]`.

    Neither AWS_PROFILE nor any other profile plays a part in IAM Identity Center's credentials.
    """

    def __init__(self, profile: str | None, shared: _Shared) -> None:
        super().__init__(profile, shared)
        # What renews the token signs nothing: no source of credentials is searched for it.
        self.register_component("credential_provider", CredentialResolver([CurrentProvider()]))

    @property
    def full_config(self) -> dict[str, Any]:
        """The profile made of the session, and all sessions."""
        sections = super().full_config.get("sso_sessions", {})
        own = sections.get(self._given, {})
        profile = {"sso_session": self._given, "region": own.get("sso_region")}
        return {"profiles": {self._given: profile}, "sso_sessions": sections}


def _timestamp(value: Any) -> datetime:
    """A time in an answer. dateutil, which the SDK uses, takes 20 times as long for ISO 8601."""
    if isinstance(value, str):
        with suppress(ValueError):
            parsed = datetime.fromisoformat(value)
            if parsed.tzinfo is not None:
                return parsed
    told: datetime = parse_timestamp(value)
    return told


class _Shared:
    """Service models, event handlers, and the config and credentials files, each parsed once."""

    def __init__(self) -> None:
        self.hooks: HierarchicalEmitter | None = None
        self.loader: Any = None
        self.config: dict[str, Any] | None = None
        self.parsers = ResponseParserFactory()
        self.parsers.set_parser_defaults(timestamp_parser=_timestamp)
        self.parse = cache(botocore.configloader.raw_config_parse)
        self.load = cache(botocore.configloader.load_config)


class Wire:
    """The clients that serve everyone who uses the same endpoints, by service."""

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        """The client for a service; `signed_by` says whose credentials it signs with."""
        return self._clients[service]


def _never_ask(prompt: str) -> str:
    raise EOFError(prompt)


class Sdk:
    """Sessions, credentials and clients; a lock guards their creation, not their use."""

    def __init__(self, *, concurrency: int, retries: int, command: str = "") -> None:
        self.command = command
        self._lock = threading.RLock()
        self._shared = _Shared()
        self._clients: dict[tuple[object, ...], Any] = {}
        self._processes = Processes()
        # Profiles say themselves how often what they do on the way is tried again.
        self._plain_config = Config(
            max_pool_connections=max(concurrency, 1),
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=_READ_TIMEOUT,
            tcp_keepalive=True,
            user_agent_extra=f"cloudcraft-onboard/{__version__}",
        )

        attempts = retries + 1
        self._config = self._plain_config.merge(
            # Not `adaptive`: it would hold every account back for the throttling of one.
            Config(retries={"mode": "standard", "total_max_attempts": attempts})
        )
        # All accounts go through one portal, which throttles whoever signed in.
        self._portal_config = self._plain_config.merge(
            Config(retries={"mode": "adaptive", "total_max_attempts": attempts})
        )

    def session(self, profile: str | None) -> _Session:
        """A session that shares what is costly. Raises `ProfileNotFound`."""
        with self._lock, as_fault(InvalidConfigError):
            return _Session(profile, self._shared)

    def sso_session(self, name: str) -> SsoSession:
        """A session for IAM Identity Center by an `[sso-session]`, whether or not there is one."""
        with self._lock, as_fault(InvalidConfigError):
            return SsoSession(name, self._shared)

    def profiles(self) -> tuple[str, ...]:
        """The names of all profiles, for a hint."""
        return tuple((self._shared.config or {}).get("profiles", ()))

    def credentials(self, session: _Session, region: str) -> Credentials:
        """The session's credentials by the SDK's own chain. Raises `NoCredentialsError`.

        Sessions with MFA that the AWS CLI keeps are used, but none is written to its cache; where
        there is none, nobody is asked for a code: `EOFError`.
        """
        source = f"profile {session.profile}" if session.profile else "the default chain"
        with as_fault(CredentialRetrievalError, provider=source):
            credentials = self._resolver(session, region).load_credentials()
        if credentials is None:
            raise NoCredentialsError
        return credentials

    def _resolver(self, session: _Session, region: str) -> CredentialResolver:
        with self._lock:
            # What is written goes into the empty dict in front.
            kept: Any = JSONFileCache(str(Path(_CLI_CACHE).expanduser()))
            cached: Any = ChainMap({}, kept)
            resolver = create_credential_resolver(session, cache=cached, region_name=region)
            # The SDK would ask in the middle of the display, and again for each profile.
            asking: Any = resolver.get_provider("assume-role")
            asking._prompter = _never_ask  # noqa: SLF001 - botocore offers no other way
            # A client for each profile, each with connections of its own, costs as much as a call.
            asking._client_creator = partial(self._lent, session, region)  # noqa: SLF001 - the same
            # Profiles that others name as their source are made by this builder, too.
            builder = asking._profile_provider_builder  # noqa: SLF001 - the same
            builder._create_process_provider = partial(self._process_provider, session)  # noqa: SLF001 - the same
            builder._create_shared_credential_provider = partial(self._shared_provider, session)  # noqa: SLF001 - the same
            builder._create_config_provider = partial(self._config_provider, session)  # noqa: SLF001 - the same
            profile = session.get_config_variable("profile") or "default"
            for make in (self._process_provider, self._shared_provider, self._config_provider):
                provider = make(session, profile)
                resolver.insert_before(provider.METHOD, provider)
            return resolver

    def _process_provider(
        self, session: botocore.session.Session, profile_name: str
    ) -> ProcessProvider:
        return ProcessProvider(
            profile_name=profile_name,
            load_config=lambda: session.full_config,
            popen=self._processes.start,
        )

    def _lent(self, session: _Session, region: str, service: str, **keys: Any) -> Lent:
        """The shared client of a service, as the SDK's providers create themselves one."""
        client = self._client(session, region, service, self._plain_config)
        return Lent(client, Credentials(*(keys[key] for key in KEYS)))

    def _shared_provider(
        self, session: botocore.session.Session, profile_name: str
    ) -> SharedCredentialProvider:
        """Parses its file once, not for each profile."""
        return SharedCredentialProvider(
            creds_filename=session.get_config_variable("credentials_file"),
            profile_name=profile_name,
            ini_parser=self._shared.parse,
        )

    def _config_provider(
        self, session: botocore.session.Session, profile_name: str
    ) -> ConfigProvider:
        """As well."""
        return ConfigProvider(
            config_filename=session.get_config_variable("config_file"),
            profile_name=profile_name,
            config_parser=self._shared.load,
        )

    def wire(
        self, session: _Session, region: str, services: Sequence[str] = ("sts", "iam")
    ) -> Wire:
        """The clients for the endpoints that a session's settings ask for."""
        configs = {"sso": self._portal_config}
        return Wire(
            {
                service: self._client(session, region, service, configs.get(service, self._config))
                for service in services
            }
        )

    def _client(self, session: _Session, region: str, service: str, config: Config) -> Any:
        """A client that signs with whatever credentials are the current ones."""
        key = (service, region, id(config), *_endpoint_settings(session.get_scoped_config()))
        with self._lock, as_fault(InvalidConfigError):
            if key not in self._clients:
                shared = session.twin()
                shared.register_component(
                    "credential_provider", CredentialResolver([CurrentProvider()])
                )
                client = shared.create_client(service, region_name=region, config=config)
                read_bundle_once(client)
                self._clients[key] = client
            return self._clients[key]

    def region(self, session: botocore.session.Session, fallback: str) -> str:
        """The session's region, or one of the fallback's partition: STS and IAM need no more."""
        region = session.get_config_variable("region")
        if region:
            return str(region)
        partition = session.get_partition_for_region(fallback)
        return "us-east-1" if partition == "aws" else fallback

    def close(self) -> None:
        """Let go of every connection and process."""
        self._processes.end()
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


_CREDENTIAL_SETTINGS = frozenset(
    {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_account_id",
        "credential_process",
        "credential_source",
        "duration_seconds",
        "external_id",
        "login_session",
        "mfa_serial",
        "output",
        "region",
        "role_arn",
        "role_session_name",
        "source_profile",
        "sso_account_id",
        "sso_region",
        "sso_registration_scopes",
        "sso_role_name",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
        "x_principal_arn",
        "x_security_token_expires",
    }
)


def _endpoint_settings(profile: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What a profile says about reaching AWS, apart from credentials."""
    return tuple(
        sorted(
            (str(key), repr(value))
            for key, value in profile.items()
            if key not in _CREDENTIAL_SETTINGS
        )
    )
