"""Open files: as many as a run's connections need, as far as the system allows."""

from __future__ import annotations

import sys
from contextlib import suppress

if sys.platform != "win32":  # which has no such limit
    import resource

_EACH = 3
"""Connections that stay open for each account at a time: STS, IAM, and a further region's STS."""

_OTHERS = 64
"""Cloudcraft's connections, files, pipes."""


def at_once(wanted: int) -> int:
    """How many accounts there are files for, up to `wanted`.

    Raises the soft limit if need be: macOS's is 256.
    """
    if sys.platform == "win32":
        return wanted
    needed = wanted * _EACH + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not _allows(soft, needed):
        more = needed if _allows(hard, needed) else hard
        # A system may refuse even what its hard limit allows.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
    return wanted if _allows(soft, needed) else max((soft - _OTHERS) // _EACH, 1)


def too_few(possible: int, wanted: int) -> str:
    """What to say where `at_once` allows fewer accounts than there are."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"The system allows only {soft} open files (`ulimit -n`)"
    return f"{said}, enough for {possible} at a time instead of {wanted}; it takes longer."


def _allows(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
