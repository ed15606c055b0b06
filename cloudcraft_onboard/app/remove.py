"""`onboard remove`: plan, show it, ask, and only then delete."""

from __future__ import annotations

import sys
from dataclasses import replace

from cloudcraft_onboard import defaults
from cloudcraft_onboard.accounts.entry import NOBODY, Snapshot
from cloudcraft_onboard.accounts.removal import Scope, looks_at_roles, needs_aws
from cloudcraft_onboard.app import output
from cloudcraft_onboard.app.background import Background
from cloudcraft_onboard.app.connect import first_reads, without_ends
from cloudcraft_onboard.app.session import Session, open_session
from cloudcraft_onboard.console import interrupts
from cloudcraft_onboard.engine.budget import forecast
from cloudcraft_onboard.engine.offboarding import (
    RemovalPlan,
    plan_removals,
    plan_unlisted,
    put_off,
    remove_accounts,
)
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.errors import UsageError
from cloudcraft_onboard.events import Said
from cloudcraft_onboard.frozen import frozen
from cloudcraft_onboard.model import NOTHING, Command, Note, Result
from cloudcraft_onboard.model.notes import Declined, NotRemoved, Stop
from cloudcraft_onboard.plan.registration import Listing
from cloudcraft_onboard.settings import Settings


@frozen
class RemoveOptions:
    """The options of `remove` alone; `most` is how many unlisted registrations may be deleted."""

    yes: bool = False
    dry_run: bool = False
    keep_roles: bool = False
    force: bool = False
    unlisted: bool = False
    most: int = defaults.MOST

    @property
    def words(self) -> tuple[str, ...]:
        """The options that choose what is removed, as they are typed."""
        given = (
            ("--keep-roles", self.keep_roles),
            ("--force", self.force),
            ("--unlisted", self.unlisted),
            (f"--max-removals={self.most}", self.unlisted and self.most != defaults.MOST),
        )
        return tuple(word for word, is_given in given if is_given)

    @property
    def scope(self) -> Scope:
        """What the options mean for roles."""
        return Scope(keep_roles=self.keep_roles, force=self.force)


def remove(settings: Settings, options: RemoveOptions) -> int:
    """Delete registrations and roles after a plan and a question; return the exit code.

    Raises:
        UsageError: there is no terminal to ask at.
    """
    settings = replace(settings, extra=options.words)
    with open_session(
        settings, Command.REMOVE, dry_run=options.dry_run, whole=options.unlisted
    ) as session:
        if not (options.yes or options.dry_run or (sys.stdin and sys.stdin.isatty())):
            raise UsageError(
                "No terminal to confirm on; pass --yes to remove.",
                hint="`onboard remove --dry-run` shows what would be removed.",
            )
        # Which registrations are in no manifest, the list will tell.
        accounts = () if options.unlisted else session.accounts
        plan = session.drive(lambda: _plan(session, options), accounts, rehearsal=True)
        if plan is None:
            return session.deliver(session.known())
        if options.dry_run:
            estimate = _estimate(plan, session)
            code = session.deliver(plan.results, estimate=estimate, each=options.unlisted)
            return 1 if _too_many(plan, options) else code
        why_not = _why_not(plan, session, options) if plan.removals else None
        if why_not:
            stopped = session.control.kind is not None
            return session.deliver(put_off(plan.results, why_not), table=stopped)
        return session.deliver(_delete(plan, session, options) if plan.removals else plan.results)


def _plan(session: Session, options: RemoveOptions) -> RemovalPlan:
    """Find out what there is to remove; reads only."""
    enabled = session.enabled
    if not (enabled or options.unlisted):
        return RemovalPlan(results=session.known(), removals=())
    tools = session.connect()
    scope = options.scope
    if not options.unlisted:
        tools.aws.check_sources([each for each in enabled if needs_aws(each, scope)])
    looks = not options.unlisted and any(looks_at_roles(each, scope) for each in enabled)
    parameters = Background(tools.cloudcraft.parameters) if looks else None
    listed = Background(tools.cloudcraft.registrations)
    with first_reads():
        snapshot = Snapshot(
            parameters=parameters.result() if parameters else NOBODY,
            listing=Listing.of_reading(listed.result()),
            documents=dict.fromkeys(("minimal", "custom"), NOTHING),  # their names will do
        )
    listing = snapshot.listing
    for remark in listing.remarks():
        tools.emit(Said(text=remark))
    if options.unlisted:
        looking = without_ends(tools)  # all that is wanted of entries is their accounts' IDs
        return plan_unlisted(session.accounts, listing, looking, session.limits)
    return plan_removals(
        session.accounts, snapshot, tools, session.limits, session.results, scope=scope
    )


def _why_not(plan: RemovalPlan, session: Session, options: RemoveOptions) -> Note | None:
    """Show the plan and ask; return why it is not carried out, None if it is."""
    control = session.control
    if control.kind is None:
        if session.settings.verbosity >= 0 or not options.yes:
            planned = session.report(plan.results, planned=True)
            estimate = _estimate(plan, session)
            output.show_table(planned, sys.stderr, estimate=estimate, each=options.unlisted)
        if _too_many(plan, options):
            return NotRemoved(why=Declined.TOO_MANY)
        if not options.yes and not _confirmed(plan, session) and control.kind is None:
            return NotRemoved(why=Declined.NOT_CONFIRMED)
    return control.kind.note if control.kind else None


def _delete(plan: RemovalPlan, session: Session, options: RemoveOptions) -> tuple[Result, ...]:
    """Carry out a plan; return all results in its order."""
    tools = session.tools
    assert tools is not None  # noqa: S101 - the plan was made with them
    known = Results([removal.account for removal in plan.removals])

    def story() -> tuple[Result, ...]:
        tools.emit(forecast(plan.registrations, 1, tools.pace))
        return remove_accounts(plan.removals, tools, session.limits, known, options.scope)

    deleted = session.drive(story, [removal.account for removal in plan.removals])
    if deleted is None:
        deleted = known.all(session.note)
    by_name = {result.name: result for result in deleted}
    return tuple(by_name.get(result.name, result) for result in plan.results)


# --- the question -------------------------------------------------------------------------------


def _confirmed(plan: RemovalPlan, session: Session) -> bool:
    """Ask on stderr; anything but yes means no. Ctrl-C stops the run as elsewhere."""
    sys.stderr.write(f"\nDelete {_told(plan)}? [y/N] ")
    sys.stderr.flush()
    try:
        with interrupts.ending_waits() as wait_for:  # a flag would not end the wait
            wait_for(sys.stdin)
            answer = sys.stdin.readline()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        session.control.stop(Stop.INTERRUPTED)
        return False
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    confirmed = answer.strip().lower() in ("y", "yes")
    if not confirmed:
        sys.stderr.write("Cancelled. Nothing was changed.\n")
    return confirmed


def _too_many(plan: RemovalPlan, options: RemoveOptions) -> bool:
    """Whether a plan for unlisted registrations is over the ceiling; if so, say it."""
    count, most = plan.registrations, options.most
    if not options.unlisted or count <= most:
        return False
    sys.stderr.write(
        f"onboard: {count} registrations are not in the manifest, more than --max-removals"
        f" {most}. Nothing was deleted.\n"
        "  hint: Check that the manifest is the right one and complete. If it is, pass"
        f" --max-removals {count}.\n"
    )
    return True


def _estimate(plan: RemovalPlan, session: Session) -> str | None:
    if session.tools is None or not plan.registrations:
        return None
    return output.say_forecast({"deletion": plan.registrations}, session.tools.pace, reads=3)


def _told(plan: RemovalPlan) -> str:
    counts = ((plan.registrations, "registration"), (plan.roles, "role"))
    return " and ".join(
        f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count
    )
