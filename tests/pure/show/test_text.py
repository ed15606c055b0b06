from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudcraft_onboard.model import RateLimit
from cloudcraft_onboard.show import text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (14.4, "14 s"),
        (59.7, "1 min 00 s"),
        (190, "3 min 10 s"),
        (3900, "1 h 05 min"),
    ],
)
def test_time_that_was_taken(value: float, told: str) -> None:
    assert text.seconds(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "5 s"), (31, "35 s"), (57, "60 s"), (58, "1 min"), (170, "3 min"), (7500, "2 h 05 min")],
)
def test_time_to_come_is_told_no_finer_than_it_is_known(value: float, told: str) -> None:
    assert text.about(value) == told


@pytest.mark.parametrize(
    ("value", "told"), [(0.2, "1 s"), (13.1, "14 s"), (59.5, "1 min 00 s"), (125, "2 min 05 s")]
)
def test_a_countdown_has_whole_seconds(value: float, told: str) -> None:
    assert text.countdown(value) == told


def test_elapsed_time() -> None:
    assert [text.clock(value) for value in (5.9, 62, 3605)] == ["0:05", "1:02", "1:00:05"]


def test_wide_characters_fill_their_cells() -> None:
    assert text.column("결제 서비스", 13) == "결제 서비스  "
    assert text.column("결제 서비스", 8) == "결제 서…"
    assert text.column("결제서비스", 6) == "결제… "


@given(st.text(max_size=40), st.integers(1, 30))
def test_a_column_is_as_wide_as_it_says(value: str, width: int) -> None:
    assert text.width_of(text.column(text.clean(value), width)) == width


@given(st.text(max_size=80))
def test_cleaned_text_cannot_steer_a_terminal(value: str) -> None:
    cleaned = text.clean(f"a{value}b")
    assert all(char.isprintable() or char in "\u200c\u200d" for char in cleaned)


def test_cleaning_leaves_people_and_families_alone() -> None:
    assert text.clean("Zoë 日本語 👨\u200d👩\u200d👧") == "Zoë 日本語 👨\u200d👩\u200d👧"


def test_escape_sequences_and_turned_around_text_are_defused() -> None:
    assert text.clean("a\x1b[31m\u202eb\nc\td") == "a\ufffd[31m\ufffdb c d"


@given(st.text(max_size=200), st.integers(5, 60))
@example("\U0001f3fb", 5)
@example("\U0001f3fb" * 9, 5)
@example("\u0300", 5)
@example("a\u0300" * 9, 5)
def test_wrapped_lines_fit_and_lose_nothing(value: str, width: int) -> None:
    lines = text.wrapped(value, width, indent="  ")
    assert all(text.width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.clean(value).split())


def test_names_are_listed_up_to_a_number() -> None:
    assert text.listed(["A", "B"], 3) == "A, B"
    assert text.listed([f"n{i}" for i in range(1003)], 2) == "n0, n1 and 1,001 more"


@pytest.mark.parametrize(
    ("writes", "reads", "told"),
    [
        ({"registration": 137}, 3, "137 registrations: about 7 min at 20 a minute"),
        (
            {"registration": 1, "update": 2},
            3,
            "1 registration, 2 updates: less than a minute",
        ),
        ({"registration": 1000}, 3, "1,000 registrations: about 51 min at 20 a minute"),
        ({"registration": 10_000}, 3, "10,000 registrations: about 8 h 21 min at 20 a minute"),
        ({"deletion": 18, "update": 0}, 1, "18 deletions: less than a minute"),
    ],
)
def test_the_forecast_is_the_pace_of_full_windows(
    writes: dict[str, int], reads: int, told: str
) -> None:
    assert text.forecast(writes, reads=reads, limits=[RateLimit(20, 60)]) == told


@pytest.mark.parametrize(
    ("registrations", "told"),
    [
        (
            1000,
            (
                "1,000 registrations: about 8 min at 20 per 10 s, "
                "51 min if Cloudcraft allows 20 a minute"
            ),
        ),
        (60, "60 registrations: less than a minute, 4 min if Cloudcraft allows 20 a minute"),
        (17, "17 registrations: less than a minute"),
    ],
)
def test_the_forecast_names_each_limit_that_may_hold(registrations: int, told: str) -> None:
    limits = [RateLimit(20, 10), RateLimit(20, 60)]
    assert text.forecast({"registration": registrations}, reads=3, limits=limits) == told
