"""The program's vocabulary: what is wanted, found, changed, and what came of it.

Frozen, keyword-only dataclasses and enums; standard library only. Everything past the manifest
loader speaks in these, never in dicts. The names are to be imported from here.
"""

from cloudcraft_onboard.model.changes import Action, Change
from cloudcraft_onboard.model.found import (
    DIRECT_SOURCE,
    CloudcraftParameters,
    Identity,
    ListReading,
    Member,
    ObservedRole,
    ObservedStackSet,
    Organization,
    Registration,
    StackInstance,
    StackOperation,
    Team,
)
from cloudcraft_onboard.model.notes import Note
from cloudcraft_onboard.model.problems import Problem, Stage
from cloudcraft_onboard.model.results import (
    CloudcraftUsage,
    Command,
    Outcome,
    RateLimit,
    Report,
    Result,
)
from cloudcraft_onboard.model.slot import Slot
from cloudcraft_onboard.model.wanted import (
    MANAGED_BY,
    NOTHING,
    Account,
    DesiredRole,
    DesiredStackSet,
    Manifest,
    PolicyRef,
    RegistrationSpec,
    RoleSpec,
    StackSetSpec,
    Trust,
    Via,
)
from cloudcraft_onboard.model.ways import SESSION_NAME, SSO_CACHE, AssumeRole, SsoRole

__all__ = [
    "DIRECT_SOURCE",
    "MANAGED_BY",
    "NOTHING",
    "SESSION_NAME",
    "SSO_CACHE",
    "Account",
    "Action",
    "AssumeRole",
    "Change",
    "CloudcraftParameters",
    "CloudcraftUsage",
    "Command",
    "DesiredRole",
    "DesiredStackSet",
    "Identity",
    "ListReading",
    "Manifest",
    "Member",
    "Note",
    "ObservedRole",
    "ObservedStackSet",
    "Organization",
    "Outcome",
    "PolicyRef",
    "Problem",
    "RateLimit",
    "Registration",
    "RegistrationSpec",
    "Report",
    "Result",
    "RoleSpec",
    "Slot",
    "SsoRole",
    "StackInstance",
    "StackOperation",
    "StackSetSpec",
    "Stage",
    "Team",
    "Trust",
    "Via",
]
