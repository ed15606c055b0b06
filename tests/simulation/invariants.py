"""What must be true of every world, and what nobody could have known.

An account's truth is what the server has in the end. Excused, and counted, is only what came to
light after the last time that the run looked.
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudcraft_onboard.engine.control import CLOSING_SECONDS, GRACE_SECONDS, LAST_LOOK_SECONDS
from cloudcraft_onboard.model import Account, Outcome, Result, Stage
from cloudcraft_onboard.model.changes import CreateRole, DeleteRegistration
from cloudcraft_onboard.model.notes import (
    DoubledInDoubt,
    DuplicateLeft,
    KeptDiffers,
    NeverAnswered,
    NoAnswer,
    NotChecked,
    NotVerified,
    Stop,
    UnlistedBeside,
)
from tests.simulation.story import Run, World
from tests.simulation.world import COLLEAGUE, EARLIER, Entry

_DONE = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
_SAYS_IT_MAY_BE = (NoAnswer, NotChecked, NeverAnswered, NotVerified)
_IN_DOUBT = (DoubledInDoubt, UnlistedBeside, KeptDiffers, DuplicateLeft)
_SLACK = 0.1
_MOST_TOO_YOUNG = 3
"""So many refusals it may cost to find out how old roles must be."""
_FINDING_OUT, _RARE_PAUSE = 5, 2
"""How many 429s it may cost to find out the limit, and each pause more than a slow window later."""


class Judge:
    """Gathers what is wrong with a world, and what is excused."""

    def __init__(self, world: World) -> None:
        self.wrong: list[str] = []
        self.excused: list[str] = []
        self._world = world
        self._server = world.server

    def phase(self, runs: list[Run]) -> None:
        """The first runs, with all their faults."""
        for run in runs:
            self._bounds(run)
            if run.finished:
                self._results(run)
                self._pace_alone(run)
                self._stops(run)
        for account in self._world.aws.accounts:
            self._duplicates(account, runs)

    def clean(self, run: Run) -> None:
        """When everything works, one run is enough, whatever went before."""
        self._bounds(run)
        for account, result in self._told(run):
            plan = self._world.aws.plan_of(account.account_id or "")
            may = (Outcome.FAILED,) if plan.blocked else ()
            if result.outcome not in (*_DONE, *may):
                self._say(run, account, f"is {result.outcome.word} though nothing went wrong")
        self._results(run)

    def quiet(self, run: Run) -> None:
        """Once all is done, another run writes nothing."""
        self._bounds(run)
        blocked = any(plan.blocked for plan in self._world.plan.accounts)
        if self._server.of(run.name).writes and not blocked:
            self.wrong.append("a run with nothing left to do wrote something")

    def removal(self, run: Run) -> None:
        """What a removal says is true."""
        self._bounds(run)
        if not run.finished:
            return
        for account, result in self._told(run):
            left = self._alive(account)
            removal = next(each for each in run.removals if each.account == account)
            known = {registration.id for registration in removal.registrations}
            mine = [entry for entry in left if entry.registration.id in known]
            if result.outcome is Outcome.REMOVED and (mine or self._has_role(account)):
                self._say(run, account, "is reported removed, and is still there")
            told = {c.id for c in result.changes if isinstance(c, DeleteRegistration)}
            self._registered_anew(run, account, result)
            if told & {entry.registration.id for entry in mine}:
                self._say(run, account, "has a registration that is reported deleted")
            gone = known - told - {entry.registration.id for entry in mine}
            if gone and not _noted(result, *_SAYS_IT_MAY_BE):
                seen, lag = self._server.of(run.name), self._world.plan.lag
                for entry in (seen.deleted[each] for each in gone if each in seen.deleted):
                    if seen.saw_after(entry, lag):
                        self._excuse(run, account, "deleted after the last look")
                    else:
                        self._say(run, account, "lost a registration, and the result hides it")

    def _registered_anew(self, run: Run, account: Account, result: Result) -> None:
        """Removed is what the last list does not show."""
        if result.outcome is not Outcome.REMOVED or _noted(result, NotVerified):
            return
        seen = self._server.of(run.name)
        for entry in self._alive(account):
            if entry.listed_at <= seen.last_list_at:
                self._say(run, account, "is reported removed, and was listed anew")
            else:
                self._excuse(run, account, "registered anew after the last look")

    def removed(self, run: Run) -> None:
        """When everything works, a removal leaves nothing."""
        self._bounds(run)
        for account in self._world.aws.accounts:
            if self._alive(account) or self._has_role(account):
                self._say(run, account, "was not removed though nothing went wrong")

    # --- one run ----------------------------------------------------------------------------

    def _bounds(self, run: Run) -> None:
        """It ends, in time, sends no more than it may, and gives back every slot."""
        journal, plan, name = run.driver.journal, run.plan, run.name
        self.wrong += [f"{name}: {what}" for what in journal.wrong]
        self.wrong += [f"{name}: sent {w} after the stop" for w in journal.after_stop]
        self.wrong += [f"{name}: sent a doubtful POST of {a} again blindly" for a in journal.blind]
        seen = self._server.of(run.name)
        if self._world.plan.settle is None and seen.too_young > _MOST_TOO_YOUNG:
            self.wrong.append(f"{name}: asked {seen.too_young} times for roles that were too young")
        self.wrong += [f"{name}: undid how {account_id} was shared" for account_id in seen.undone]
        if broken := run.driver.client.broke_the_pace:
            self.wrong.append(f"{name}: broke the pace: {broken}")
        if not run.finished or journal.ended_at is None:
            return
        if not run.driver.pace.idle:
            self.wrong.append(f"{name}: a slot was not given back")
        slack = _SLACK + plan.slow * (50 + 10 * len(self._world.aws.accounts))
        kind, control = run.driver.control.kind, run.driver.control
        if control.deadline is not None:
            self._ended_by(run, control.deadline + slack, "the end of its budget")
        if kind is Stop.INTERRUPTED:
            # What comes before the core has a time-out of its own.
            heard = max(control.stopped_at, journal.began_at)
            ends = heard + GRACE_SECONDS + LAST_LOOK_SECONDS + slack
            self._ended_by(run, ends, "the end of an interrupt's grace")

    def _ended_by(self, run: Run, when: float, what: str) -> None:
        """Whether the core is done by then; what comes before it may have taken longer."""
        journal = run.driver.journal
        late = (journal.ended_at or 0.0) - max(when, journal.began_at + _SLACK)
        if late > 0:
            self.wrong.append(f"{run.name}: ended {late:.1f} s after {what}")

    def _pace_alone(self, run: Run) -> None:
        """Alone it is never throttled, but a few times where a slower limit is found out.

        What a 429 whose answer is lost leads to is more of them.
        """
        plan, seen = self._world.plan, self._server.of(run.name)
        most, throttled = 0, seen.throttled
        if plan.true_limit != plan.limits[0]:
            most = _FINDING_OUT + _RARE_PAUSE * max(0, run.driver.pace.pauses - 2)
            throttled = seen.told
        if plan.alone and throttled > most:
            self.wrong.append(f"{run.name}: was throttled {throttled} times though it was alone")

    def _stops(self, run: Run) -> None:
        """A run stops when it must, and a budget leaves time for the verifying read."""
        failures = sum(result.outcome is Outcome.FAILED for result in run.results)
        kind, most = run.driver.control.kind, run.plan.max_failures
        if most is not None and failures >= most and kind is None:
            self.wrong.append(f"{run.name}: went on after {failures} failures")
        unhurried = kind is not Stop.INTERRUPTED and not (run.plan.slow or run.plan.no_thread)
        plan = self._world.plan
        foreseeable = plan.latency < CLOSING_SECONDS and plan.true_limit == plan.limits[0]
        if plan.calm and plan.alone and not plan.lag and unhurried and foreseeable:
            for account, result in self._told(run):
                if _noted(result, NotVerified):
                    self._say(run, account, "is not verified though there was time to plan for it")

    def _results(self, run: Run) -> None:
        """Each account's result is what the facts say."""
        for account, result in self._told(run):
            self._changes(run, account, result)
            if result.outcome in _DONE:
                self._done(run, account, result)
            else:
                self._not_done(run, account, result)

    def _changes(self, run: Run, account: Account, result: Result) -> None:
        made = sum(isinstance(change, CreateRole) for change in result.changes)
        if made != run.driver.journal.changes.get(account.name, 0):
            self._say(run, account, "has other changes in its result than were made")

    def _done(self, run: Run, account: Account, result: Result) -> None:
        alive = self._alive(account)
        seen, plan = self._server.of(run.name), self._world.plan
        if not alive:
            if not plan.stranger:
                self._say(run, account, f"is reported {result.outcome.word}, is not registered")
            return
        first = alive[0].registration
        as_wanted = (first.name, first.role_arn) == (account.name, account.expected_role_arn)
        if not plan.stranger and not as_wanted:
            if self._late(alive[0], run) or _noted(result, NotVerified):
                self._excuse(run, account, "somebody's, who registered it after the last look")
            else:
                self._say(run, account, f"is reported {result.outcome.word}, differs")
        if result.outcome is not Outcome.CREATED or _noted(result, NotVerified):
            return
        if not any(account.account_id in listed for _, listed in seen.reads):
            self._say(run, account, "is reported created without having been listed")
        if result.cloudcraft_id not in {entry.registration.id for entry in alive}:
            if any(self._late(entry, run) for entry in alive):
                self._excuse(
                    run, account, "has the ID of a registration that gave way to a late one"
                )
            else:
                self._say(run, account, "has an ID in its result that is not registered")

    def _not_done(self, run: Run, account: Account, result: Result) -> None:
        """Nothing is registered of it by this run, or the result says that it may be."""
        mine = [entry for entry in self._alive(account) if entry.maker == run.name]
        if not mine or _noted(result, *_SAYS_IT_MAY_BE, *_IN_DOUBT):
            return
        lagging = result.error is not None and result.error.stage is Stage.VERIFY
        if lagging or all(map(self._server.of(run.name).missed, mine)):
            self._excuse(run, account, f"{result.outcome.word}, and registered after the last look")
        else:
            self._say(run, account, f"is reported {result.outcome.word}, and is registered")

    # --- duplicates -------------------------------------------------------------------------

    def _duplicates(self, account: Account, runs: Iterable[Run]) -> None:
        """Each registration but the oldest is taken back by the run that made it."""
        by_name = {run.name: run for run in runs}
        alive = self._alive(account)
        for entry in alive[1:]:
            if entry.maker not in (EARLIER, COLLEAGUE):
                self._duplicate(by_name[entry.maker], account, entry, alive[0])
        for run in by_name.values():
            self._deleted_others(run)

    def _duplicate(self, run: Run, account: Account, entry: Entry, oldest: Entry) -> None:
        result = next((r for r in run.results if r.name == account.name), None)
        if not run.finished or result is None:
            self._excuse(run, account, "registered twice by a run that was killed")
        elif _noted(result, *_SAYS_IT_MAY_BE):
            self._excuse(run, account, "registered twice, and not verified")
        elif entry.registration.id in _left(result):
            self._excuse(run, account, "registered twice, which the result says")
        elif {entry.registration.id, oldest.registration.id} <= _doubtful(result):
            self._excuse(run, account, "registered twice by lost requests, which the result says")
        elif self._late(oldest, run) or (
            self._late(entry, run) and entry.registration.id not in run.driver.journal.named
        ):
            self._excuse(run, account, "registered twice after the last look")
        else:
            self._say(run, account, f"stays registered twice, as {entry.registration.id}, too")

    def _deleted_others(self, run: Run) -> None:
        """A run deletes what it made itself, and only where an answer to it is the proof."""
        accounts = {a.account_id: a for a in self._world.aws.accounts}
        for entry in self._server.of(run.name).deleted.values():
            account = accounts[entry.account_id]
            if entry.maker != run.name:
                self._say(run, account, f"lost {entry.maker}'s registration")
            elif entry.registration.id not in run.driver.journal.named:
                self._say(run, account, "lost a registration that no answer named")

    # --- words ------------------------------------------------------------------------------

    def _told(self, run: Run) -> list[tuple[Account, Result]]:
        accounts = {account.name: account for account in self._world.aws.accounts}
        return [(accounts[r.name], r) for r in run.results] if run.finished else []

    def _alive(self, account: Account) -> list[Entry]:
        return self._server.alive(account.account_id or "")

    def _has_role(self, account: Account) -> bool:
        return account.account_id in self._world.aws.roles

    def _late(self, entry: Entry, run: Run) -> bool:
        return entry.listed_at > self._server.of(run.name).judged_at(entry.account_id)

    def _say(self, run: Run, account: Account, what: str) -> None:
        self.wrong.append(f"{run.name}: {account.name} {what}")

    def _excuse(self, run: Run, account: Account, what: str) -> None:
        self.excused.append(f"{run.name}: {account.name} {what}")


def _noted(result: Result, *kinds: type) -> bool:
    return any(isinstance(note, kinds) for note in result.notes)


def _left(result: Result) -> set[str]:
    """The duplicates that the result tells to delete by hand."""
    return {note.id for note in result.notes if isinstance(note, DuplicateLeft)}


def _doubtful(result: Result) -> set[str]:
    """The registrations of which the result says that one may be too much."""
    notes = [note for note in result.notes if isinstance(note, DoubledInDoubt)]
    return {each for note in notes for each in note.ids}
