"""A model of Cloudcraft and of AWS: as careless about duplicates as the real one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudcraft_onboard.engine.messages import Delete, Post, Put, ReadList, Request
from cloudcraft_onboard.engine.settling import LONGEST
from cloudcraft_onboard.model import Account, Registration, RoleSpec, StackSetSpec, Via
from cloudcraft_onboard.sandbox.limits import WINDOWS
from tests.simulation.loop import Loop
from tests.simulation.seeds import AccountPlan, Fate, Found, Role, Scenario

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
ID_BASE = 100_000_000_000
EARLIER = "earlier"
"""Who made what was there before the first run."""
COLLEAGUE = "colleague"
"""Who registers accounts by hand, in the web page, while runs are on."""
YOUNG = "Unable to verify AWS account: its role is new"
OLD_SECONDS = 120.0
"""A PUT may undo what was shared in the last so many seconds."""

Reply = Callable[["Answer"], None]
Trace = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the network brings back; status 0: nothing, and `fate` says why."""

    fate: Fate = Fate.FINE
    status: int = 0
    words: str = ""
    body: Any = None
    retry_after: float | None = None
    listed: frozenset[str] | None = None
    at: float = 0.0
    young: bool = False


@dataclass(kw_only=True)
class Entry:
    """A registration as the server has it; `number` is that of the POST that made it."""

    registration: Registration
    maker: str
    number: int
    made_at: float
    listed_at: float
    deleted_at: float | None = None
    shared_at: float = -1.0

    @property
    def account_id(self) -> str:
        return self.registration.account_id

    @property
    def seniority(self) -> tuple[str, str]:
        return self.registration.created_at or "", self.registration.id


@dataclass(kw_only=True)
class Seen:
    """What the server saw of one run: `reads` are the times of its lists, and who was listed.

    `throttled` are its 429s, `told` those whose answers reached it; `too_young` are refusals that
    it got for roles that were younger than any role has to be.
    """

    reads: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    throttled: int = 0
    told: int = 0
    too_young: int = 0
    writes: int = 0
    write_sent_at: float = -1.0
    wrote_at: float = -1.0
    sent: dict[int, float] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    deleted: dict[str, Entry] = field(default_factory=dict)

    @property
    def read_at(self) -> float:
        """When the run last looked."""
        return self.reads[-1][0] if self.reads else -1.0

    @property
    def last_list_at(self) -> float:
        """When the list was made that came first after the last write.

        After it was sent: a write that is lost may be processed long after the run has ended.
        """
        return next((at for at, _ in self.reads if at > self.write_sent_at), self.read_at)

    def judged_at(self, account_id: str) -> float:
        """When the run looked for this account for the last time."""
        last = (at for at, listed in self.reads if at > self.wrote_at and account_id in listed)
        return next(last, self.read_at)

    def missed(self, entry: Entry) -> bool:
        """Whether the run looked when its registration was not listed yet, or not at all."""
        since = self.sent.get(entry.number, -1.0)
        reads = [at for at, _ in self.reads if at > since]
        return not reads or reads[0] < entry.listed_at

    def saw_after(self, entry: Entry, lag: float) -> bool:
        """Whether the run looked when what it deleted was still listed, or not at all."""
        gone = entry.deleted_at or 0.0
        reads = [at for at, _ in self.reads if at > gone]
        return not reads or reads[0] < gone + lag


class Cloudcraft:
    """The server: its limit, its registrations, and what happens to requests on their way."""

    def __init__(self, loop: Loop, plan: Scenario, aws: AwsWorld, trace: Trace) -> None:
        self.entries: list[Entry] = []
        self.seen: dict[str, Seen] = {}
        self.calm = False
        self._loop = loop
        self._plan = plan
        self._aws = aws
        self._trace = trace
        self._rng = random.Random(f"cloudcraft {plan.seed}")
        self._limiter = WINDOWS[plan.window](*plan.true_limit)
        self._as_believed = WINDOWS[plan.window](*plan.limits[-1])
        self._fates = list(plan.fates)
        self._weights = list(plan.fates.values())
        self._ids = 0
        for account in aws.accounts:
            self._begin(account)

    def alive(self, account_id: str) -> list[Entry]:
        """What is registered of an account, the oldest in front."""
        found = [e for e in self.entries if e.account_id == account_id and e.deleted_at is None]
        return sorted(found, key=lambda entry: entry.seniority)

    def of(self, run: str) -> Seen:
        """What was seen of this run."""
        return self.seen.setdefault(run, Seen())

    def use_quota(self) -> None:
        """Another client's request."""
        self._limiter.admit(self._loop.now)

    def send(self, run: str, request: Request, reply: Reply) -> float | None:
        """A request sets out; what comes back, if anything does, comes later.

        Returns by when it has arrived, as far as the wire tells, 0 where it doesn't; None
        for a request that isn't sent.
        """
        fate = self._fate()
        self.of(run).sent[request.number] = self._loop.now
        if not isinstance(request, ReadList):
            self.of(run).write_sent_at = self._loop.now
        there = self._some(self._plan.latency)
        back = self._some(self._plan.latency)
        if fate is not Fate.FINE:
            self._trace("network", f"{run} {request.method} #{request.number}: {fate.value}")
        if fate in (Fate.UNSENT, Fate.CRASH_BEFORE):
            self._loop.after(there, lambda: reply(Answer(fate=fate)))
            return None
        arrives = self._loop.now + 1.5 * self._plan.latency if self._plan.tells_arrival else 0.0
        silence = self._rng.choice((there + back, self._plan.timeout))
        if fate in (Fate.LOST, Fate.ERROR):
            self._loop.after(silence, lambda: reply(Answer(fate=fate)))
            return arrives
        if fate is Fate.LATE:
            there = silence + self._rng.expovariate(1 / self._plan.late)

        def arrive() -> None:
            answer = self._process(run, request)
            turned_away = answer.status == 429 and fate is not Fate.ANSWER_LOST
            if fate is Fate.FINE or (turned_away and fate is not Fate.LATE):
                self._loop.after(back, lambda: self._bring(run, answer, reply))
            elif fate is not Fate.LATE:
                self._loop.after(max(silence - there, back), lambda: reply(Answer(fate=fate)))

        self._loop.after(there, arrive)
        if fate is Fate.LATE:
            self._loop.after(silence, lambda: reply(Answer(fate=fate)))
        return arrives

    def _bring(self, run: str, answer: Answer, reply: Reply) -> None:
        """An answer comes back; a list tells the run what there was at its time."""
        self.of(run).told += answer.status == 429
        self.of(run).too_young += answer.young
        if answer.listed is not None:
            self.of(run).reads.append((answer.at, answer.listed))
        reply(answer)

    # --- at the server ----------------------------------------------------------------------

    def _process(self, run: str, request: Request) -> Answer:
        now = self._loop.now
        limiter = self._as_believed if self.calm else self._limiter
        if not limiter.admit(now):
            self.of(run).throttled += 1
            self._trace("cloudcraft", f"{run} {request.method} #{request.number}: 429")
            wait = float(int(limiter.reset_in(now)) + 1)
            return Answer(status=429, retry_after=wait if self._plan.retry_after else None)
        answer = self._answer(run, request)
        self._trace("cloudcraft", f"{run} {request.method} #{request.number}: {answer.status}")
        return answer

    def _answer(self, run: str, request: Request) -> Answer:
        if isinstance(request, ReadList):
            return self._list()
        if not self.calm and self._plan.key_refused:
            read_only = self._plan.key_refused == "read-only"
            return (
                Answer(status=403, words="this API key is read-only")
                if read_only
                else Answer(status=401, words="unauthorized")
            )
        self.of(run).writes += 1
        match request:
            case Post():
                self._let_colleague_register(request.spec.account_id)
                return self._post(run, request)
            case Put():
                return self._put(run, request)
            case Delete():
                self._let_colleague_register(request.registration.account_id)
                return self._delete(run, request)

    def _list(self) -> Answer:
        now = self._loop.now
        entries = [
            entry
            for entry in self.entries
            if entry.listed_at <= now
            and (entry.deleted_at is None or now < entry.deleted_at + self._lag)
        ]
        listed = frozenset(entry.account_id for entry in entries)
        body = tuple(entry.registration for entry in entries)
        return Answer(status=200, body=body, listed=listed, at=now)

    def _post(self, run: str, request: Post) -> Answer:
        spec = request.spec
        refusal = self._aws.refusal(spec.account_id, self._loop.now)
        if refusal is not None:
            status, words = refusal
            age = self._loop.now - self._aws.roles.get(spec.account_id, self._loop.now)
            return Answer(status=status, words=words, young=words == YOUNG and age < LONGEST)
        entry = self._make(spec.name, spec.role_arn, run, request.number)
        return Answer(status=201, body=entry.registration)

    def _put(self, run: str, request: Put) -> Answer:
        spec, entry = request.spec, self._find(request)
        if entry is None:
            return Answer(status=404, words="no such account")
        old, sent = entry.registration, self.of(run).sent[request.number]
        access = request.registration.read_access if spec.read_access is None else spec.read_access
        if access != old.read_access and entry.shared_at < sent - OLD_SECONDS:
            self.of(run).undone.append(entry.account_id)
        entry.registration = replace(
            old, name=spec.name, role_arn=spec.role_arn, read_access=access
        )
        return Answer(status=200)

    def share(self) -> None:
        """Somebody shares a registration with a team, in the web page."""
        there = [entry for entry in self.entries if entry.deleted_at is None]
        if there and not self.calm:
            entry = self._rng.choice(there)
            team = f"team-{self._rng.randrange(1000)}"
            entry.registration = replace(entry.registration, read_access=(team,))
            entry.shared_at = self._loop.now
            self._trace("administrator", f"shares {entry.registration.id}")

    def _let_colleague_register(self, account_id: str) -> None:
        """Somebody registers the account by hand, about now: by its name, with another role."""
        if self.calm or self._rng.random() >= self._plan.colleague:
            return
        arn = f"arn:aws:iam::{account_id}:role/{self._rng.choice(('by-hand', 'cloudcraft'))}"
        name = self._aws.name_of(account_id)

        def register() -> None:
            entry = self._make(name, arn, COLLEAGUE, 0)
            self._trace(COLLEAGUE, f"registers {account_id} as {entry.registration.id}")

        self._loop.after(self._rng.expovariate(0.5), register)

    def _delete(self, run: str, request: Delete) -> Answer:
        entry = self._find(request)
        if entry is None:
            return Answer(status=404, words="no such account")
        entry.deleted_at = self._loop.now
        self.of(run).deleted[entry.registration.id] = entry
        return Answer(status=200)

    def _find(self, request: Put | Delete) -> Entry | None:
        wanted = request.registration
        there = (e for e in self.entries if e.deleted_at is None)
        found = next((e for e in there if e.registration.id == wanted.id), None)
        if found and not self.calm and self._rng.random() < self._plan.stranger:
            self._trace("stranger", f"deletes {wanted.id}")
            found.deleted_at = self._loop.now
            return None
        return found

    def _make(self, name: str, arn: str, maker: str, number: int) -> Entry:
        now = self._loop.now
        self._ids += 1
        registration = Registration(
            id=f"{self._rng.randrange(16**4):04x}-{self._ids}",
            name=name,
            role_arn=arn,
            created_at=(_BEGINNING + timedelta(seconds=now)).isoformat(timespec="microseconds"),
        )
        listed_at = now + self._rng.random() * self._lag
        entry = Entry(
            registration=registration, maker=maker, number=number, made_at=now, listed_at=listed_at
        )
        self.entries.append(entry)
        return entry

    def _begin(self, account: Account) -> None:
        """What was registered before the first run."""
        found = self._aws.plan_of(account.account_id or "").found
        arn = account.expected_role_arn or ""
        name = "another name" if found is Found.DIFFERENT else account.name
        times = {Found.NOTHING: 0, Found.TWICE: 2}.get(found, 1)
        for _ in range(times):
            self._make(name, arn, EARLIER, 0).listed_at = 0.0

    # --- chance -----------------------------------------------------------------------------

    @property
    def _lag(self) -> float:
        return 0.0 if self.calm else self._plan.lag

    def _fate(self) -> Fate:
        if self.calm or not self._fates:
            return Fate.FINE
        dice = self._rng.random()
        for fate, weight in zip(self._fates, self._weights, strict=True):
            dice -= weight
            if dice < 0:
                return fate
        return Fate.FINE

    def _some(self, seconds: float) -> float:
        return seconds * (0.5 + self._rng.random())


class AwsWorld:
    """The accounts and their roles."""

    def __init__(self, plan: Scenario) -> None:
        self.rng = random.Random(f"aws {plan.seed}")
        self.calm = False
        self.accounts = tuple(map(_account, range(len(plan.accounts)), plan.accounts))
        self.roles: dict[str, float] = {}
        self.made_by: dict[str, str] = {}
        self.tries: dict[tuple[str, str], int] = {}
        self._plan = plan
        for account, its in zip(self.accounts, plan.accounts, strict=True):
            if its.role is Role.OLD:
                self.roles[account.account_id or ""] = -1e6

    def plan_of(self, account_id: str) -> AccountPlan:
        """What the seed has in store for an account."""
        return self._plan.accounts[int(account_id) - ID_BASE]

    def name_of(self, account_id: str) -> str:
        """The account's name in the manifest."""
        return self.accounts[int(account_id) - ID_BASE].name

    def latency(self) -> float:
        """How long one step takes."""
        return self._plan.aws_latency * (0.5 + self.rng.random())

    def refusal(self, account_id: str, now: float) -> tuple[int, str] | None:
        """Status and words with which Cloudcraft refuses the role, if it does."""
        blocked = self.plan_of(account_id).blocked
        if blocked:
            why = f"an SCP of {account_id} blocks this region"
            return blocked, why if blocked == 403 else "Unable to verify AWS account"
        made = self.roles.get(account_id)
        if made is None:
            return 400, "Unable to verify AWS account: no role"
        young = 0.0 if self.calm else self.plan_of(account_id).spread
        if now - made < young:
            return 400, YOUNG
        return None


def _account(index: int, plan: AccountPlan) -> Account:
    via = Via.STACKSET if plan.grouped else Via.ASSUME
    return Account(
        name=f"a{index}",
        account_id=str(ID_BASE + index),
        role=RoleSpec(via=via, stackset=StackSetSpec()),
    )
