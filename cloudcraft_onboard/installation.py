"""How this program was installed, and the command that adds something to it."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
from enum import Enum, auto
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

NAME = "cloudcraft-onboard"


class Installer(Enum):
    """Who made the environment that this program runs in."""

    UV_TOOL = auto()
    UVX = auto()
    PIPX = auto()
    PIPX_RUN = auto()
    PIP = auto()
    UV_PIP = auto()  # a virtual environment without pip, as uv makes them


def kind() -> Installer:
    """Who made the environment, as far as its files tell."""
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").exists():
        return Installer.UV_TOOL
    if any(part.startswith(("archive-v", "environments-v")) for part in prefix.parts):
        return Installer.UVX  # folders of uv's cache
    if (prefix / "pipx_metadata.json").exists():
        return Installer.PIPX if "venvs" in prefix.parts else Installer.PIPX_RUN
    return Installer.PIP if importlib.util.find_spec("pip") else Installer.UV_PIP


def command_for_extra(extra: str) -> str:
    """The command that adds one of the program's extras, such as `sandbox`."""
    whole = shlex.quote(_whole(extra))
    match kind():
        case Installer.UV_TOOL:
            return f"uv tool install --force {whole}"
        case Installer.UVX:
            return f"uvx --from {whole} {NAME} ..."
        case Installer.PIPX:
            return f"pipx install --force {whole}"
        case Installer.PIPX_RUN:
            return f"pipx run --spec {whole} {NAME} ..."
        case Installer.PIP | Installer.UV_PIP:
            return f"{_pip()} {whole}"


def command_for(requirement: str) -> str:
    """The command that adds a package, such as `botocore[crt]`."""
    wanted, whole = shlex.quote(requirement), shlex.quote(_whole())
    match kind():
        case Installer.UV_TOOL:
            return f"uv tool install --force --with {wanted} {whole}"
        case Installer.UVX:
            return f"uvx --with {wanted} --from {whole} {NAME} ..."
        case Installer.PIPX:
            return f"pipx inject {NAME} {wanted}"
        case Installer.PIPX_RUN:
            return f"pipx run --with {wanted} --spec {whole} {NAME} ..."
        case Installer.PIP | Installer.UV_PIP:
            return f"{_pip()} {wanted}"


def _pip() -> str:
    python = shlex.quote(sys.executable)
    if kind() is Installer.UV_PIP:
        return f"uv pip install --python {python}"
    return f"{python} -m pip install"


def _whole(extra: str = "") -> str:
    """The program itself, with an extra, from where it was installed (PEP 610)."""
    extras = f"[{extra}]" if extra else ""
    try:
        told = metadata.distribution(NAME).read_text("direct_url.json")
        origin = json.loads(told or "{}")
        url = str(origin.get("url", ""))
    except (metadata.PackageNotFoundError, ValueError, AttributeError):
        return f"{NAME}{extras}"
    if not url:
        return f"{NAME}{extras}"
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        return f"{NAME}{extras} @ {vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', 'HEAD')}"
    if urlsplit(url).scheme == "file":
        path = unquote(urlsplit(url).path)
        return f"{'.' if Path(path) == Path.cwd() else path}{extras}"
    return f"{NAME}{extras} @ {url}"
