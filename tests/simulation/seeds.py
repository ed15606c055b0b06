"""What a seed decides: the accounts, the limits, the faults, and what is done to the runs."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from enum import Enum


class Fate(Enum):
    """What becomes of one request to Cloudcraft on its way."""

    FINE = "fine"
    UNSENT = "never reached the server"
    LOST = "lost before it was processed"
    ANSWER_LOST = "processed, the answer was lost"
    LATE = "no answer, processed later"
    ERROR = "500, not processed"
    GATEWAY = "503, processed"
    UNREADABLE = "processed, the answer cannot be read"
    CRASH_BEFORE = "the sender crashed before it was sent"
    CRASH_AFTER = "the sender crashed after it was processed"


class Role(Enum):
    """What AWS has to say of an account."""

    MISSING = "no role yet"
    OLD = "has its role"
    DENIED = "access denied"
    THROTTLED = "transient failures"
    CRASH = "its worker crashes"
    PENDING = "out of reach for now"


class Found(Enum):
    """What Cloudcraft knows of an account beforehand."""

    NOTHING = "not registered"
    SAME = "registered"
    DIFFERENT = "registered by another name"
    TWICE = "registered twice"


@dataclass(frozen=True, kw_only=True)
class AccountPlan:
    """One account's part in a world.

    `blocked`: Cloudcraft never accepts its role. `spread` is after how many seconds it does.
    """

    role: Role = Role.MISSING
    transient: int = 0
    found: Found = Found.NOTHING
    blocked: int = 0
    spread: float = 0.0
    grouped: bool = False


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """How one run goes: times are seconds after its start, `kill_at` counts messages."""

    starts: float = 0.0
    interrupt: float | None = None
    budget: float | None = None
    max_failures: int | None = None
    retries: int = 5
    concurrency: int = 16
    kill_at: int | None = None
    slow: float = 0.0
    no_thread: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A world before anything happens in it.

    `colleague` is how likely it is that somebody registers an account by hand while a request for
    it is under way; `sharing`, that somebody shares an account in the web page every so often.
    """

    seed: int
    accounts: tuple[AccountPlan, ...]
    limits: tuple[tuple[int, float], ...]
    true_limit: tuple[int, float]
    window: str
    retry_after: bool
    settle: float | None
    lag: float
    latency: float
    timeout: float
    tells_arrival: bool
    late: float
    fates: dict[Fate, float] = field(default_factory=dict)
    aws_latency: float = 0.5
    other_client: float = 0.0
    key_refused: str = ""
    stranger: float = 0.0
    colleague: float = 0.0
    sharing: float = 0.0
    first: RunPlan = RunPlan()
    second: RunPlan | None = None
    after_kill: RunPlan | None = None
    removal: RunPlan | None = None
    removal_after: float = 600.0

    @property
    def alone(self) -> bool:
        """Whether nothing but one run uses the quota, which it expects as it is."""
        known = self.true_limit in self.limits
        others = self.other_client or self.second or self.first.kill_at or Fate.LATE in self.fates
        return known and not others

    @property
    def calm(self) -> bool:
        """Whether nothing goes wrong with requests."""
        return not (
            self.fates or self.other_client or self.key_refused or self.stranger or self.colleague
        )


_LIMITS = (
    ((20, 10.0), (20, 60.0)),
    ((5, 2.0), (5, 10.0)),
    ((20, 60.0),),
    ((5, 10.0),),
    ((2, 1.0),),
    ((1, 0.5),),
)

_SLOW = ((1, 15.0),)
"""So slow that some of its PUTs come minutes after the first list."""


def scenario(seed: int) -> Scenario:
    """Everything that the seed decides beforehand."""
    rng = random.Random(f"world {seed}")
    sharing = rng.choice((0.02, 0.1)) if rng.random() < 0.06 else 0.0
    limits = rng.choice(_LIMITS) if not sharing else _SLOW
    true_limit = rng.choice(limits if rng.random() < 0.9 else _LIMITS[0])
    count = _count(rng) if not sharing else rng.randint(15, 40)
    seconds = true_limit[1]
    windows = max(1.0, count / true_limit[0]) * seconds
    kill = rng.randrange(1, 6 * count + 10) if rng.random() < 0.2 else None
    return Scenario(
        seed=seed,
        accounts=_accounts(rng, count, known=0.9 if sharing else None),
        limits=limits,
        true_limit=true_limit,
        window=rng.choice(("sliding", "fixed", "bucket")),
        retry_after=rng.random() < 0.7,
        settle=rng.choice((None, None, 0.0, 10.0)),
        lag=rng.choice((0.0, 0.0, 0.0, 0.5, 1.5, 10.0)),
        latency=rng.choice((0.01, 0.2, 1.0)),
        timeout=rng.choice((5.0, 60.0)),
        tells_arrival=rng.random() < 0.5,
        late=rng.choice((0.5, 3.0, 60.0)),
        fates=_fates(rng),
        aws_latency=rng.choice((0.05, 0.5, 5.0)),
        other_client=rng.uniform(0.1, 0.9) if rng.random() < 0.15 else 0.0,
        key_refused=rng.choice(("read-only", "revoked")) if rng.random() < 0.04 else "",
        stranger=rng.choice((0.02, 0.3)) if rng.random() < 0.05 else 0.0,
        colleague=rng.choice((0.05, 0.3, 0.8)) if rng.random() < 0.15 else 0.0,
        sharing=sharing,
        first=_run(rng, windows, seconds, kill),
        second=_second(rng, windows, seconds) if rng.random() < 0.25 else None,
        after_kill=_run(rng, windows, seconds) if kill is not None else None,
        removal=_run(rng, windows, seconds) if rng.random() < 0.3 else None,
        removal_after=rng.choice((0.0, 1.0, 600.0)),
    )


def _count(rng: random.Random) -> int:
    """How many accounts: mostly few, as most of what goes wrong goes wrong among few."""
    dice = rng.random()
    if dice < 0.8:
        return rng.randint(1, 6)
    if dice < 0.97:
        return rng.randint(7, 30)
    return rng.randint(31, 120) if dice < 0.9985 else rng.randint(121, 2000)


def _accounts(
    rng: random.Random, count: int, *, known: float | None = None
) -> tuple[AccountPlan, ...]:
    trouble = rng.choice((0.0, 0.0, 0.1, 0.5))
    known = rng.choice((0.0, 0.2, 0.8)) if known is None else known
    grouped = rng.random() < 0.15
    spread = rng.choice(((0.0, 0.0), (0.0, 0.0), (3.0, 3.0), (9.0, 9.0), (20.0, 20.0), (1.0, 20.0)))
    return tuple(
        replace(_account(rng, trouble, known, grouped=grouped), spread=rng.uniform(*spread))
        for _ in range(count)
    )


def _account(rng: random.Random, trouble: float, known: float, *, grouped: bool) -> AccountPlan:
    role, found, blocked = Role.MISSING, Found.NOTHING, 0
    if rng.random() < known:
        role = rng.choice((Role.MISSING, Role.OLD, Role.OLD))
        found = rng.choice((*(Found.SAME, Found.DIFFERENT) * 3, Found.NOTHING, Found.TWICE))
    if rng.random() < trouble:
        role = rng.choice(tuple(Role))
        blocked = rng.choice((0, 0, 400, 403, 422, 302))
    return AccountPlan(
        role=role,
        transient=rng.randint(1, 3),
        found=found,
        blocked=blocked,
        grouped=grouped and rng.random() < 0.7,
    )


def _fates(rng: random.Random) -> dict[Fate, float]:
    """How likely each fault is; none at all in some worlds, all too many in others."""
    if rng.random() < 0.25:
        return {}
    rate = rng.choice((0.02, 0.1, 0.3, 0.6))
    kinds = [fate for fate in Fate if fate is not Fate.FINE]
    chosen = rng.sample(kinds, rng.randint(1, 4))
    shares = [rng.random() for _ in chosen]
    return {fate: rate * share / sum(shares) for fate, share in zip(chosen, shares, strict=True)}


def _run(rng: random.Random, windows: float, seconds: float, kill_at: int | None = None) -> RunPlan:
    return RunPlan(
        interrupt=rng.uniform(0.0, windows + 15) if rng.random() < 0.2 else None,
        budget=_budget(rng, windows, seconds) if rng.random() < 0.3 else None,
        max_failures=rng.randint(1, 3) if rng.random() < 0.15 else None,
        retries=rng.choice((0, 1, 5, 5)),
        concurrency=rng.choice((1, 4, 16)),
        kill_at=kill_at,
        slow=rng.choice((0.0, 0.0, 0.0, 0.05, 0.3)),
        no_thread=0.05 if rng.random() < 0.05 else 0.0,
    )


def _budget(rng: random.Random, windows: float, seconds: float) -> float:
    """Any time, or one that ends soon after the limit allows more: where the reserve counts."""
    if rng.random() < 0.4:
        return rng.uniform(2.0, windows + 20)
    return rng.randint(1, math.ceil(windows / seconds)) * seconds + rng.uniform(1.0, 6.0)


def _second(rng: random.Random, windows: float, seconds: float) -> RunPlan:
    """A second run at the same time: it usually begins with the first."""
    plan = _run(rng, windows, seconds)
    starts = rng.choice((0.0, rng.uniform(0.0, 2.0), rng.uniform(0.0, windows + 10)))
    return RunPlan(**{**vars(plan), "starts": starts})
