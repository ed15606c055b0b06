"""Accounts from the profiles of the AWS config."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase

from cloudcraft_onboard.aws.profiles import profiles
from cloudcraft_onboard.aws.sections import ignored
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.sources.found import Candidate, Found, Search


@frozen
class Profiles:
    """The profiles whose names match a glob; each is the way into its account."""

    glob: str

    origin = "the profiles of the AWS config"

    def find(self, search: Search) -> Found:
        """See `Source`; contacts nobody."""
        del search
        known = profiles()
        said = tuple(map(str, ignored()))
        chosen = [profile for profile in known if fnmatchcase(profile.name, self.glob)]
        if not chosen:
            near = get_close_matches(self.glob, [profile.name for profile in known], 3)
            message = f"--profiles {self.glob!r} matches no profile of the AWS config."
            raise UsageError(
                "\n".join((message, *said)),
                hint=f"Did you mean {' or '.join(near)}?"
                if near
                else "`aws configure list-profiles` shows all profiles.",
            )
        return Found(
            candidates=tuple(
                Candidate(name=each.name, profile=each.name, account_id=each.account_id)
                for each in chosen
            ),
            said=said,
        )
