from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from cloudcraft_onboard.console import redact as redaction
from cloudcraft_onboard.defaults import REQUESTS
from cloudcraft_onboard.show import logs

KEY = "cc-key-0123456789abcdef"


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_pattern", None)
    redaction.protect(KEY)
    names = ("cloudcraft_onboard", *logs._SDKS)
    before = {name: dict(vars(logging.getLogger(name))) for name in names}
    yield io.StringIO()
    for name, state in before.items():
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = state["handlers"], state["propagate"]
        logger.setLevel(state["level"])


def test_verbose_shows_requests_and_no_more(stream: io.StringIO) -> None:
    logs.configure(1, stream)
    logging.getLogger(REQUESTS).info("%s %s %d %.2fs", "GET", "/aws/account", 200, 0.31)
    logging.getLogger("botocore.endpoint").debug("not shown")
    assert stream.getvalue()[8:] == " cloudcraft_onboard.http: GET /aws/account 200 0.31s\n"


def test_very_verbose_shows_the_sdks_logs_redacted(stream: io.StringIO) -> None:
    logs.configure(2, stream)
    headers = {"Authorization": b"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE, Signature=ff00"}
    logging.getLogger("botocore.endpoint").debug("sending %s", headers)
    logging.getLogger("httpx").debug("Bearer %s", KEY)
    told = stream.getvalue()
    assert "botocore.endpoint: sending" in told
    assert not any(secret in told for secret in (KEY, "AKIAIOSFODNN7EXAMPLE", "ff00"))


def test_tracebacks_are_redacted_too(stream: io.StringIO) -> None:
    logs.configure(2, stream)
    try:
        int(f"cannot send {KEY}")
    except ValueError:
        logging.getLogger("botocore.hooks").debug("oh", exc_info=True, stack_info=True)
    assert (
        "ValueError: invalid literal for int() with base 10: 'cannot send [redacted]'"
        in stream.getvalue()
    )
    assert KEY not in stream.getvalue()


def test_without_verbose_nothing_is_shown(
    stream: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(0, stream)
    logging.getLogger("botocore.endpoint").warning("a warning")
    logging.getLogger("cloudcraft_onboard.cloudcraft").error("an error")
    assert stream.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_configuring_twice_shows_lines_once(stream: io.StringIO) -> None:
    logs.configure(1, stream)
    logs.configure(1, stream)
    logging.getLogger(REQUESTS).info("GET /team 200 0.10s")
    assert stream.getvalue().count("GET /team") == 1
