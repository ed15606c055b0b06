"""The real program in a pseudo-terminal, on the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import onboard_tty

DEMO = str(Path(__file__).parents[3] / "manifests" / "demo.yaml")


@pytest.mark.parametrize(("width", "height"), [(60, 15), (120, 40)], ids=["60x15", "120x40"])
def test_a_run_is_live_and_leaves_its_table(width: int, height: int) -> None:
    arguments = ("run", DEMO, "--sandbox", "--settle", "1", "--only", "P*", "--only", "S*")
    with onboard_tty(width, height, *arguments, CLOUDCRAFT_RATE_LIMIT="100/1") as tty:
        tty.until("onboard run")
        assert tty.screen.cursor.hidden
        assert tty.to_the_end() == 0
    told = [*tty.scrollback(), *tty.lines()]
    assert told[0].startswith("Account"), "nothing of the live view is left"
    assert sum("Production" in line for line in told) == 1
    assert any(line.startswith("5 accounts: 3 created") for line in told)
    assert not tty.screen.cursor.hidden


def test_ctrl_c_is_shown_at_once_and_ends_with_the_way_on() -> None:
    arguments = ("run", DEMO, "--sandbox", "--settle", "0")
    with onboard_tty(80, 24, *arguments, CLOUDCRAFT_RATE_LIMIT="3/600") as tty:
        tty.until("to Cloudcraft in")
        tty.child.sendintr()
        assert tty.to_the_end() == 130
    # The run may end within the same breath, so this is looked for in what was sent.
    assert b"! stopping: SIGINT received" in tty.raw
    told = [*tty.scrollback(), *tty.lines()]
    assert "run the same command again" in " ".join(told)
    assert not tty.screen.cursor.hidden


def test_a_dumb_terminal_gets_plain_lines() -> None:
    arguments = ("plan", DEMO, "--sandbox", "--only", "Production")
    with onboard_tty(80, 24, *arguments, TERM="dumb", NO_COLOR="1") as tty:
        assert tty.to_the_end() == 0
    assert b"\x1b" not in tty.raw
    assert "+ Production  479021527356  to create" in tty.lines()
