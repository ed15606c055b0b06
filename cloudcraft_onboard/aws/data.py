"""What the SDK knows of AWS's services, without what this program never looks at.

The SDK keeps the endpoints of 400 services and the documentation of every operation: 10 MB, of
which 1 is needed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader
from botocore.session import Session

_UNPACKED: dict[str, Callable[[bytes], bytes]] = {".json": bytes, ".json.gz": gzip.decompress}

ENDPOINTS = frozenset(
    {"cloudformation", "iam", "oidc", "organizations", "portal.sso", "signin", "sso", "sts"}
)
"""The services that are called, by us or by the SDK's sources of credentials."""


def shorten(session: Session) -> None:
    """Let a session read no more than is needed."""
    session.get_component("data_loader").file_loader = _Files()


class _Files(JSONFileLoader):
    """Reads the SDK's files of data; one that is not there is None."""

    def load_file(self, file_path: str) -> Any:
        """The file's content; `file_path` lacks its ending."""
        if not self.exists(file_path):
            return None
        for ending, unpacked in _UNPACKED.items():
            with suppress(FileNotFoundError):
                content = unpacked(Path(f"{file_path}{ending}").read_bytes())
                return json.loads(content, object_pairs_hook=_shortened)
        return None


def _shortened(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of such a file, without documentation and without others' endpoints."""
    kept = {
        key: value
        for key, value in pairs
        if not (key == "documentation" and isinstance(value, str))
    }
    if "regionRegex" in kept and "services" in kept:  # a partition
        services = kept["services"]
        kept["services"] = {name: services[name] for name in services if name in ENDPOINTS}
    return kept
