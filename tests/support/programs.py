"""Programs that no Python package brings: what is tested with them, and how to get them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

UNTESTED = "not tested here"


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """A program by any of its `names`; `package` is Debian's."""

    names: tuple[str, ...]
    package: str
    tests: str

    @property
    def path(self) -> str | None:
        """Where it is, if it is here."""
        return next(filter(None, map(shutil.which, self.names)), None)

    @property
    def or_skip(self) -> pytest.MarkDecorator:
        """For tests that need it; `make test` ends with the reason."""
        how = f"there is no {self.names[0]}; `apt-get install {self.package}` brings it"
        return pytest.mark.skipif(self.path is None, reason=f"{self.tests} {UNTESTED}: {how}")


CHROMIUM = Needed(
    names=("chromium", "chromium-browser", "google-chrome"),
    package="chromium",
    tests="The pages are",
)
ZSH = Needed(names=("zsh",), package="zsh", tests="Completion in zsh is")
