"""What botocore works out anew for each session, done once a process: models, names of events."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import cloudcraft_onboard.aws  # noqa: F401 - it decides what botocore imports

if TYPE_CHECKING:
    from botocore.hooks import EventAliaser
    from botocore.loaders import JSONFileLoader

# Pure tests import this module too, and none of botocore.
# ruff: noqa: PLC0415

USED = ("endpoints", "partitions", "sdk-default-configuration")
SERVICES = ("iam", "sts", "organizations", "sso")


def remember() -> None:
    """Whatever comes with botocore is read once from now on. Sessions only read it."""
    from botocore import hooks
    from botocore.loaders import JSONFileLoader, Loader

    from cloudcraft_onboard.aws.data import _Files

    find = Loader.list_available_services

    @functools.cache
    def found(paths: tuple[str, ...], kind: str) -> list[str]:
        return find(Loader(list(paths), include_default_search_paths=False), kind)

    def list_available_services(self: Loader, type_name: str) -> list[str]:
        return list(found(tuple(self.search_paths), type_name))

    Loader.list_available_services = list_available_services  # type: ignore[method-assign]
    for reader in (JSONFileLoader, _Files):
        _read_once(reader)
    hooks.accepts_kwargs = _looked_at_once(hooks.accepts_kwargs)  # type: ignore[assignment]
    _alias_once(hooks.EventAliaser)


def _read_once(reader: type[JSONFileLoader]) -> None:
    """Files that come with botocore; a user's own are read each time."""
    from botocore.loaders import Loader

    read = reader.load_file

    @functools.cache
    def reread(path: str) -> Any:
        return read(reader(), path)

    def load_file(self: JSONFileLoader, file_path: str) -> Any:
        comes_with_it = Path(Loader.BUILTIN_DATA_PATH) in Path(file_path).parents
        return reread(file_path) if comes_with_it else read(self, file_path)

    reader.load_file = load_file  # type: ignore[method-assign]


def _looked_at_once(accepts_kwargs: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Each function's signature, for as long as the function lives."""
    known: WeakKeyDictionary[Any, object] = WeakKeyDictionary()

    def looked_at(handler: Any) -> object:
        function = getattr(handler, "__func__", handler)
        if function not in known:
            known[function] = accepts_kwargs(handler)
        return known[function]

    return looked_at


def _alias_once(aliaser: type[EventAliaser]) -> None:
    """One memory of aliases for all sessions: each registers the same 120 handlers."""
    begin = aliaser.__init__
    aliases: dict[str, str] = {}

    def __init__(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:  # noqa: N807
        begin(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = aliases

    aliaser.__init__ = __init__  # type: ignore[method-assign]


def read_ahead() -> None:
    """Read now what nearly every program reads."""
    from botocore.loaders import Loader

    from cloudcraft_onboard.aws.data import _Files

    loader = Loader()
    loader.file_loader = _Files()
    for name in USED:
        loader.load_data(name)
    for service in SERVICES:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
