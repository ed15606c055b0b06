"""How what is there differs from what is wanted, as facts.

The clause of each is made here: the reason of a change and the problem of a conflict share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar, assert_never

from cloudcraft_onboard.frozen import frozen

T = TypeVar("T")


@frozen
class Differs(Generic[T]):
    """One value, as it is and as it should be."""

    before: T
    after: T


# --- a role's trust policy ----------------------------------------------------------------------


@frozen
class TrustsNobody:
    """It has no statement."""


@frozen
class TrustsOthers:
    """It names others: principals, those of whole accounts by their ID. `besides` Cloudcraft."""

    principals: tuple[str, ...]
    besides: bool


@frozen
class OtherEffect:
    """It has a statement with another effect than Allow, or with none."""

    effect: str


@frozen
class NoPrincipal:
    """It has a statement that names nobody; `instead` is an element that it has, if any."""

    instead: str


@frozen
class SeveralStatements:
    """It has more than one statement for Cloudcraft; whether their external IDs differ."""

    external_ids_differ: bool


@frozen
class SeveralExternalIds:
    """One statement accepts more than one external ID."""


@frozen
class ExternalIdMissing:
    """It asks for no external ID."""


@frozen
class ExternalIdDiffers:
    """It asks for another external ID."""


@frozen
class OtherActions:
    """It allows other actions than sts:AssumeRole."""

    actions: tuple[str, ...]


@frozen
class OtherConditions:
    """It has further conditions: operators and keys."""

    conditions: tuple[tuple[str, str], ...]


@frozen
class OtherElements:
    """It has elements that a trust policy of Cloudcraft's guide has not."""

    elements: tuple[str, ...]


ForeignTrust = TrustsOthers | OtherEffect | NoPrincipal | SeveralStatements | SeveralExternalIds
"""Why a trust policy is not Cloudcraft's alone."""
OwnTrust = (
    TrustsNobody
    | ExternalIdMissing
    | ExternalIdDiffers
    | OtherActions
    | OtherConditions
    | OtherElements
)
"""How one that names nobody but Cloudcraft differs."""


# --- a stack set --------------------------------------------------------------------------------


@frozen
class TemplateDiffers:
    """Its template makes another role."""


@frozen
class ParameterDiffers:
    """One of its parameters has another value; None: it has none."""

    name: str
    before: str | None
    after: str


@frozen
class NoAutoDeployment:
    """Accounts that join later don't get the role."""


StackSetDifference = TemplateDiffers | ParameterDiffers | NoAutoDeployment


# --- as people read them ------------------------------------------------------------------------


def clauses(facts: Iterable[ForeignTrust | OwnTrust | StackSetDifference]) -> str:
    """All of them as one clause: `external ID differs; allows sts:* instead of sts:AssumeRole`."""
    return "; ".join(map(_clause, facts))


def _clause(fact: ForeignTrust | OwnTrust | StackSetDifference) -> str:
    if isinstance(fact, ForeignTrust):
        return _of_foreign(fact)
    if isinstance(fact, OwnTrust):
        return _of_own(fact)
    match fact:
        case TemplateDiffers():
            return "its template differs"
        case ParameterDiffers():
            return f"its parameter {fact.name} differs"
        case NoAutoDeployment():
            return "automatic deployment is off"
        case _:
            assert_never(fact)


def _of_foreign(fact: ForeignTrust) -> str:
    match fact:
        case TrustsOthers():
            names = (f"account {name}" if name.isdigit() else name for name in fact.principals)
            verb = "also trusts" if fact.besides else "trusts"
            return f"it {verb} {', '.join(sorted(names))}"
        case OtherEffect():
            return f"it has a statement with the effect {fact.effect or 'missing'}"
        case NoPrincipal():
            return f"it has a statement with {fact.instead or 'no Principal'}"
        case SeveralStatements(external_ids_differ=True):
            return "it has several statements for Cloudcraft with different external IDs"
        case SeveralStatements():
            return "it has a second statement besides Cloudcraft's"
        case SeveralExternalIds():
            return "it accepts several external IDs, which others may use"
        case _:
            assert_never(fact)


def _of_own(fact: OwnTrust) -> str:
    match fact:
        case TrustsNobody():
            return "trusts nobody"
        case ExternalIdMissing():
            return "external ID is missing"
        case ExternalIdDiffers():
            return "external ID differs"
        case OtherActions():
            return f"allows {', '.join(fact.actions) or 'no action'} instead of sts:AssumeRole"
        case OtherConditions():
            return f"has the condition {', '.join(map(' '.join, fact.conditions))}"
        case OtherElements():
            return f"has the element {', '.join(fact.elements)}"
        case _:
            assert_never(fact)
