"""Faults of the local Cloudcraft by name; each takes `method`, `path`, `account`, `times`, `skip`.

`processed` says whether the request has its effect although its answer is bad.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

Fault = dict[str, Any]
REGISTERING: Fault = {"method": "POST", "path": "^/aws/account$"}
LISTING: Fault = {"method": "GET", "path": "^/aws/account$"}
READING_PARAMETERS: Fault = {"method": "GET", "path": "iamParameters$"}
HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def error(status: int, text: str = "Something broke", *, processed: bool, **match: Any) -> Fault:
    """`{"error": text}` with this status."""
    answer = {"status": status, "body": {"error": text}}
    return {"process": processed, "answer": answer, **match}


def reset(*, processed: bool, **match: Any) -> Fault:
    """The connection is reset (RST) without a byte of an answer."""
    return {"process": processed, "answer": "reset", **match}


def close(*, processed: bool, **match: Any) -> Fault:
    """The connection is closed (FIN) without a byte of an answer."""
    return {"process": processed, "answer": "close", **match}


def hang(seconds: float, *, processed: bool, **match: Any) -> Fault:
    """No answer for so long, then a reset: give it longer than the client waits."""
    return {"process": processed, "delay": seconds, "answer": "reset", **match}


def slow(seconds: float, **match: Any) -> Fault:
    """The true answer, late."""
    return {"delay": seconds, **match}


def patience(fault: Fault) -> float:
    """A `--timeout` that answers reach which don't come, and no other, however busy the machine."""
    return 3.0 if "delay" in fault else 60.0


def cut(**match: Any) -> Fault:
    """Processed, and the answer's body breaks off in the middle."""
    return {"answer": "cut", **match}


def empty(status: int = 200, *, processed: bool = True, **match: Any) -> Fault:
    """An empty body."""
    return {"process": processed, "answer": {"status": status, "body": ""}, **match}


def html(status: int = 502, *, processed: bool, **match: Any) -> Fault:
    """A proxy's page."""
    answer = {"status": status, "body": HTML, "headers": {"content-type": "text/html"}}
    return {"process": processed, "answer": answer, **match}


def not_json(status: int = 201, *, processed: bool = True, **match: Any) -> Fault:
    """A body that says it is JSON and isn't."""
    headers = {"content-type": "application/json"}
    answer = {"status": status, "body": "{'id': ", "headers": headers}
    return {"process": processed, "answer": answer, **match}


def redirect(location: str, status: int = 302, **match: Any) -> Fault:
    """Sent elsewhere, not processed."""
    answer = {"status": status, "headers": {"location": location}}
    return {"process": False, "answer": answer, **match}


def without_id(**match: Any) -> Fault:
    """Processed, and the true answer lacks its `id`."""
    return {"without": ["id"], **match}


def too_many(retry_after: float | None = None, *, as_date: bool = False, **match: Any) -> Fault:
    """429 out of the blue, with `Retry-After` if one is given (rounded to whole seconds)."""
    headers = {}
    if retry_after is not None:
        when = datetime.now(UTC) + timedelta(seconds=retry_after)
        headers["Retry-After"] = (
            format_datetime(when, usegmt=True) if as_date else str(round(retry_after))
        )
    answer = {"status": 429, "body": {"error": "Too many requests"}, "headers": headers}
    return {"process": False, "answer": answer, **match}


def unavailable(retry_after: int, **match: Any) -> Fault:
    """503, not processed, with `Retry-After`."""
    headers = {"Retry-After": str(retry_after)}
    answer = {"status": 503, "body": {"error": "Down for maintenance"}, "headers": headers}
    return {"process": False, "answer": answer, **match}


def late(seconds: float, status: int = 504, **match: Any) -> Fault:
    """A gateway gives up at once, and the request is processed so many seconds later."""
    answer = {"status": status, "body": HTML, "headers": {"content-type": "text/html"}}
    return {"process": seconds, "answer": answer, **match}


def twin(age: str = "newer", **match: Any) -> Fault:
    """Another client registers the same role at the same moment, a bit older or newer."""
    return {"twin": age, **REGISTERING, **match}


def burst(requests: int, **match: Any) -> Fault:
    """Another client sends so many requests just before this one."""
    return {"consume": requests, **match}


def lag(seconds: float, **match: Any) -> Fault:
    """Lists leave out what was registered in the last so many seconds."""
    return {"lag": seconds, **LISTING, **match}
