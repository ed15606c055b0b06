"""What is said of an account besides its outcome: one class for each kind of note.

A note holds facts; its sentence is made where it is shown (`show/notes.py`).
"""

from __future__ import annotations

from enum import Enum, auto

from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model.role_notes import RemovalNote, RoleNote


class Stop(Enum):
    """Why a run ends early; the value is a clause for people."""

    INTERRUPTED = "the run was interrupted"
    FAILURES = "the run stopped after --max-failures"
    BUDGET = "the time budget was used up"
    KEY = "Cloudcraft refused the API key"
    BUG = "onboard hit a bug"

    @property
    def note(self) -> NotFinished:
        """A pending account's note."""
        return NotFinished(stop=self)


class Errand(Enum):
    """What a request to Cloudcraft is for."""

    REGISTRATION = auto()
    DELETION = auto()


# --- the registration ---------------------------------------------------------------------------


@frozen
class BroughtIn:
    """Somebody else brought the account into Cloudcraft (`source`): it is left as it is."""

    source: str | None


@frozen
class StillBroughtIn:
    """Besides its own registrations, the account has one from `source`, which is kept."""

    source: str | None


@frozen
class RegisteredBefore:
    """It was registered more than once before the run; IDs, the one that is used in front."""

    ids: tuple[str, ...]


@frozen
class Doubled:
    """It is registered more than once; IDs, the one that is used in front."""

    ids: tuple[str, ...]


@frozen
class AnotherRunRegistered:
    """Somebody else registered it, too; `id` is the newer registration, which stays."""

    id: str


@frozen
class AnotherRunWasFirst:
    """Somebody else registered it at the same time, and that registration is the one that stays."""


@frozen
class LostAnswerCounted:
    """The run's own first request, whose answer was lost, was processed: `id` is what stays."""

    id: str


@frozen
class DoubledInDoubt:
    """It is listed more than once, and a lost request of this run may have made one of these."""

    ids: tuple[str, ...]


@frozen
class UnlistedBeside:
    """Cloudcraft accepted it as `id` and does not list that, but another registration of it."""

    id: str
    listed: str


@frozen
class DuplicateDeleted:
    """This run registered it twice, and deleted the newer registration."""

    id: str


@frozen
class DuplicateLeft:
    """This run registered it twice, and could not delete the newer registration; `why`."""

    id: str
    why: str


@frozen
class KeptBrought:
    """The registration that stays differed from the manifest, and was brought to it."""

    id: str


@frozen
class KeptDiffers:
    """The registration that stays differs from the manifest, and was not brought to it; `why`."""

    id: str
    why: str


@frozen
class RegisteredAnew:
    """It was registered again while it was removed; IDs of the registrations, which stay."""

    ids: tuple[str, ...]


@frozen
class NotVerified:
    """It was registered, or removed, and the last list could not be read; `why`."""

    errand: Errand
    why: str


RegistrationNote = BroughtIn | StillBroughtIn | NotVerified
DoubleNote = (
    RegisteredBefore
    | Doubled
    | AnotherRunRegistered
    | AnotherRunWasFirst
    | LostAnswerCounted
    | DoubledInDoubt
    | UnlistedBeside
    | RegisteredAnew
)
"""On an account that was, or may have been, registered more than once."""

MendNote = DuplicateDeleted | DuplicateLeft | KeptBrought | KeptDiffers
"""On what was done about it."""


# --- where an account stands --------------------------------------------------------------------


@frozen
class NotActive:
    """AWS Organizations' word for the account's state, such as SUSPENDED; empty without one."""

    state: str


@frozen
class NotInOrganization:
    """The organization that was asked does not have the account."""


@frozen
class UnitUnknown:
    """In which OU the account is, nobody told: it moved while they were read."""


@frozen
class DrawnByDatadog:
    """Cloudcraft draws the account from Datadog's data, of which this program sees nothing."""


@frozen
class MayBe:
    """It may be the account of one of these entries, whose account nobody told."""

    names: tuple[str, ...]


@frozen
class TooManyFail:
    """A plan would fail it, and so many others that no command that leaves them out is advised."""

    count: int


CoverageNote = NotActive | NotInOrganization | UnitUnknown | DrawnByDatadog | MayBe | TooManyFail


# --- why an account is not worked on, or what it waits for ---------------------------------------


@frozen
class Disabled:
    """`enabled: false` in the manifest."""


@frozen
class NotFinished:
    """The run ended before the account was finished."""

    stop: Stop


@frozen
class Outage:
    """AWS, the network or this system failed it for a while; `why` is their word."""

    why: str


@frozen
class RegistrationQueued:
    """Its role is ready, and its registration waits for a slot."""


@frozen
class NothingRemoved:
    """Nothing of it has been removed yet."""


@frozen
class RoleLeft:
    """Its role has not been deleted yet; whether a registration of it has."""

    registration_deleted: bool


@frozen
class NoAnswer:
    """Its request was sent; the answer never came."""

    errand: Errand


@frozen
class NeverAnswered:
    """After several tries there was no answer, and a list shows that nothing came of it."""

    errand: Errand


@frozen
class NotChecked:
    """Its request may have been processed, and the list that would tell was not read; `why`."""

    errand: Errand
    why: str


@frozen
class NotSent:
    """Its request was not sent; `why`."""

    errand: Errand
    why: str


@frozen
class NotProcessed:
    """Its request was not processed, and the retries are used up; `why` is the last error."""

    why: str


@frozen
class RefusedSoFar:
    """Cloudcraft refused its role in these words; the role is so new that this may change."""

    said: str


class Declined(Enum):
    """Why a removal's plan was not carried out."""

    TOO_MANY = auto()
    NOT_CONFIRMED = auto()


@frozen
class NotRemoved:
    """The removal's plan was shown, and not carried out."""

    why: Declined


@frozen
class SavedNote:
    """A note that was read back from a saved report, which holds its sentence alone."""

    text: str


WaitNote = (
    Disabled
    | NotFinished
    | Outage
    | RegistrationQueued
    | NothingRemoved
    | RoleLeft
    | NoAnswer
    | NeverAnswered
    | NotChecked
    | NotSent
    | NotProcessed
    | RefusedSoFar
    | NotRemoved
)
Note = (
    RoleNote
    | RemovalNote
    | RegistrationNote
    | DoubleNote
    | MendNote
    | CoverageNote
    | WaitNote
    | SavedNote
)
