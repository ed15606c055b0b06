"""A world from beginning to end: its runs, the runs after them, and what was found wrong."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from cloudcraft_onboard.accounts.entry import Snapshot
from cloudcraft_onboard.accounts.removal import Removal
from cloudcraft_onboard.engine.budget import Limits
from cloudcraft_onboard.engine.core import Core
from cloudcraft_onboard.engine.messages import ReadList
from cloudcraft_onboard.engine.register import Register
from cloudcraft_onboard.engine.results import Results
from cloudcraft_onboard.engine.unregister import Unregister
from cloudcraft_onboard.errors import RequestError
from cloudcraft_onboard.model import CloudcraftParameters, ListReading, Result, Via
from cloudcraft_onboard.plan.registration import Listing
from tests.simulation.driver import VirtualDriver
from tests.simulation.loop import Loop, Wait
from tests.simulation.mutants import Mutant
from tests.simulation.seeds import RunPlan, Scenario, scenario
from tests.simulation.trace import Trace
from tests.simulation.work import DELETED, Offboarding, Onboarding
from tests.simulation.world import AwsWorld, Cloudcraft

_PARAMETERS = CloudcraftParameters(account_id="912185983511", external_id="external-id")
_LATER = 600.0
_LONGEST = 400_000.0
"""No run takes longer than that, in virtual seconds: 2,000 accounts at the slowest pace."""


@dataclass(kw_only=True)
class Run:
    """One run, whether it came to its end, and its results; `removes`: it is a removal."""

    name: str
    plan: RunPlan
    driver: VirtualDriver
    mutant: Mutant
    removes: bool = False
    calm: bool = False
    began: bool = False
    results: tuple[Result, ...] = ()
    removals: tuple[Removal, ...] = ()
    known: Results | None = None

    @property
    def killed(self) -> bool:
        return self.began and not self.driver.alive

    @property
    def finished(self) -> bool:
        return self.began and self.driver.alive


@dataclass(kw_only=True)
class World:
    """Everything that is simulated at once."""

    plan: Scenario
    mutant: type[Mutant] = Mutant
    traced: bool = False

    def __post_init__(self) -> None:
        self.loop = Loop()
        self.trace = Trace(self.loop, on=self.traced)
        self.aws = AwsWorld(self.plan)
        self.server = Cloudcraft(self.loop, self.plan, self.aws, self.trace)
        self.runs: list[Run] = []

    def live(self) -> list[Run]:
        """The phases of the story: each one's runs go on at the same time."""
        first = self._start("run", self.plan.first)
        phase = [first]
        if self.plan.second is not None:
            phase.append(self._start("other run", self.plan.second))
        self._use_quota(phase)
        self._share(phase)
        self._until_over(phase)
        if self.plan.after_kill is not None and first.killed:
            phase.append(self._start("next run", self.plan.after_kill))
            self._use_quota(phase[-1:])
            self._until_over(phase)
        self.loop.drain()
        return phase

    def clean_run(self, name: str) -> Run:
        """Some time later, when everything works: the run after."""
        self._calm_down()
        run = self._start(name, RunPlan(), calm=True)
        self._until_over([run])
        self.loop.drain()
        return run

    def removal(self, name: str, plan: RunPlan, *, calm: bool = False) -> Run:
        """Everything is taken back."""
        if calm:
            self._calm_down()
        else:
            self.loop.at(self.loop.now + self.plan.removal_after, lambda: None)
            self.loop.drain()
            self.server.calm = self.aws.calm = False
        run = self._start(name, plan, removes=True, calm=calm)
        self._until_over([run])
        self.loop.drain()
        return run

    def _calm_down(self) -> None:
        self.server.calm = self.aws.calm = True
        self.loop.at(self.loop.now + _LATER, lambda: None)
        self.loop.drain()

    # --- runs -------------------------------------------------------------------------------

    def _start(self, name: str, plan: RunPlan, *, removes: bool = False, calm: bool = False) -> Run:
        if not calm and not removes:
            self.server.calm = self.aws.calm = False
        mutant = self.mutant()
        driver = VirtualDriver(
            name,
            plan,
            loop=self.loop,
            server=self.server,
            trace=self.trace,
            limits=self.plan.limits,
            mutant=mutant,
        )
        run = Run(name=name, plan=plan, driver=driver, mutant=mutant, removes=removes, calm=calm)
        self.runs.append(run)

        def begin() -> None:
            driver.started = self.loop.now
            if plan.budget is not None:
                driver.control.deadline = self.loop.now + plan.budget
            if plan.interrupt is not None:
                self.loop.after(plan.interrupt, driver.interrupt)
            self.loop.spawn(self._first_reads(run), lambda: driver.alive)

        self.loop.after(plan.starts, begin)
        return run

    def _first_reads(self, run: Run) -> Generator[Wait, Any, None]:
        """Two requests before the first account, as in the program."""
        request = ReadList(number=0)
        try:
            for _ in range(2):
                reading = yield from run.driver.client.ask(request, None)
        except (RequestError, ArithmeticError) as error:
            self.trace(run.name, f"cannot start: {error}")
            run.driver.alive = False
            return
        run.began = True
        if run.removes:
            self._begin_removal(run, reading)
        else:
            self._begin_run(run, reading)

    def _begin_run(self, run: Run, reading: ListReading) -> None:
        listing = Listing.of_reading(reading)
        snapshot = Snapshot(parameters=_PARAMETERS, listing=listing)
        worker = Onboarding(run.name, self.loop, self.aws, snapshot)
        core = self._core(run, Register(apply=True), listing)
        run.driver.begin(core, worker, worker.jobs())

    def _begin_removal(self, run: Run, reading: ListReading) -> None:
        listing, worker = Listing.of_reading(reading), Offboarding(run.name, self.loop, self.aws)
        found = (
            Removal(
                account=account,
                account_id=account.account_id or "",
                registrations=listing.of(account.account_id or ""),
                role_changes=(DELETED,) if account.account_id in self.aws.roles else (),
                by_stack_set=account.role.via is Via.STACKSET,
            )
            for account in self.aws.accounts
        )
        run.removals = tuple(removal for removal in found if removal.changes)
        core = self._core(run, Unregister(run.removals))
        run.driver.begin(core, worker)

    def _core(
        self, run: Run, policy: Register | Unregister, known: Listing | None = None
    ) -> Core[Any, Any]:
        accounts = [r.account for r in run.removals] if run.removes else self.aws.accounts
        limits = Limits(
            concurrency=run.plan.concurrency,
            retries=run.plan.retries,
            max_failures=run.plan.max_failures,
        )
        run.known = Results(accounts)
        core: Core[Any, Any] = Core(
            policy,
            run.known,
            pace=run.driver.pace,
            control=run.driver.control,
            limits=run.mutant.limits(limits),
            known=known,
            settle=self.plan.settle,
            transitions=run.mutant.transitions,
        )
        return core

    def _until_over(self, runs: list[Run]) -> None:
        """Let time pass until the runs are over; one that never ends is found to hang."""
        ends = self.loop.now + _LONGEST
        while not all(run.driver.done for run in runs):
            if not self.loop.next() or self.loop.now > ends:
                for run in runs:
                    if not run.driver.done:
                        run.driver.journal.wrong.append("it hangs")
                        run.driver.alive = False
        for run in runs:
            if run.known is not None and not run.results:
                run.results = run.known.all(run.driver.control.note)

    def _use_quota(self, runs: list[Run]) -> None:
        """Another client of the same key, while these runs are on."""
        share, (requests, seconds) = self.plan.other_client, self.plan.true_limit
        if not share:
            return

        def use() -> None:
            if not all(run.driver.done for run in runs):
                self.server.use_quota()
                self.loop.after(seconds / requests / share * (0.5 + self.aws.rng.random()), use)

        use()

    def _share(self, runs: list[Run]) -> None:
        """Somebody shares accounts in the web page, while these runs are on."""
        if not self.plan.sharing:
            return

        def share() -> None:
            if not all(run.driver.done for run in runs):
                self.server.share()
                self.loop.after(self.aws.rng.expovariate(self.plan.sharing), share)

        share()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a world came to: what is wrong, and how much of it nobody could have known."""

    seed: int
    wrong: tuple[str, ...]
    accounts: int
    messages: int
    excused: tuple[str, ...]


def live(seed: int, mutant: type[Mutant] = Mutant, *, traced: bool = False) -> Verdict:
    """Live through a seed's world and judge it."""
    from tests.simulation.invariants import Judge  # noqa: PLC0415 - it judges what is defined here

    world = World(plan=scenario(seed), mutant=mutant, traced=traced)
    judge = Judge(world)
    judge.phase(world.live())
    clean = world.clean_run("clean run")
    judge.clean(clean)
    if world.server.of(clean.name).writes:
        judge.quiet(world.clean_run("quiet run"))
    if world.plan.removal is not None:
        judge.removal(world.removal("removal", world.plan.removal))
        judge.removed(world.removal("clean removal", RunPlan(), calm=True))
    return Verdict(
        seed=seed,
        wrong=tuple(judge.wrong),
        accounts=len(world.plan.accounts),
        messages=sum(run.driver.journal.messages for run in world.runs),
        excused=tuple(judge.excused),
    )


def attempt(seed: int, mutant: type[Mutant] = Mutant) -> Verdict:
    """The same, with a crash of the core as one more thing that is wrong."""
    try:
        return live(seed, mutant)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        what = f"crashed: {type(error).__name__}: {error}"
        return Verdict(seed=seed, wrong=(what,), accounts=0, messages=0, excused=())
