"""Into AWS accounts, and their roles, with boto3."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}


def _signs_in() -> bool:
    """Whether a profile may be one of `aws login`, whose tokens need awscrt's cryptography."""
    for variable, usual in _FILES.items():
        try:
            text = Path(os.environ.get(variable) or usual).expanduser().read_bytes()
        except (OSError, RuntimeError):
            continue
        if b"login_session" in text:
            return True
    return False


# botocore imports awscrt wherever it is installed, which is 45 ms and 6 MB of every start.
if "botocore" not in sys.modules and not _signs_in():
    sys.modules.setdefault("awscrt", None)  # type: ignore[arg-type]
