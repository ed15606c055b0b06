"""The entry point: turns every error into one message and one exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from cloudcraft_onboard.console import interrupts

if TYPE_CHECKING:
    from cloudcraft_onboard.errors import ManifestError

# Everything else is imported after the signals have got their handlers.
# ruff: noqa: PLC0415

_LONGEST = 20_000  # characters of a message; nobody reads more on a screen
_MOST_PROBLEMS = 1000  # of manifests, for the same reason
_GARBAGE = 150_000  # objects: more than are imported, among which there is no garbage


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        interrupts.install()
        gc.set_threshold(_GARBAGE)
        from cloudcraft_onboard.console import streams

        streams.secure()
        code = _run()
        interrupts.last_acts()
        problem = streams.end(hurried=code == interrupts.EXIT_CODE)
        interrupts.ignore()
    except KeyboardInterrupt:  # between two of these steps, or while another one is told
        interrupts.end()
    if problem is not None:
        if not isinstance(problem, BrokenPipeError):  # `| head` has read what it wanted
            _say(f"Standard output could not be written: {problem.strerror or problem}.")
            streams.end(hurried=True)
        code = code or 1
    gc.freeze()  # what the process's end frees is not searched for garbage before
    sys.exit(code)


def _run() -> int:
    """Run the command line and return the exit code."""
    from cloudcraft_onboard.errors import ManifestError, OnboardError

    try:
        from cloudcraft_onboard.cli import complete
        from cloudcraft_onboard.cli.main import app

        complete.first_tab()
        with complete.bash():
            app(prog_name="onboard")
    except SystemExit as ended:
        interrupt = _interrupt(ended)
        if interrupt is not None:
            _say(str(interrupt) or "Interrupted.")
        return ended.code if isinstance(ended.code, int) else 0
    except ManifestError as error:
        _say_manifest_errors(error)
        return error.exit_code
    except OnboardError as error:
        _say(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        _say("Interrupted.")
        return interrupts.EXIT_CODE
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback's secrets
        from cloudcraft_onboard.console.redact import excerpt

        _say(
            excerpt(f"Unexpected {type(error).__name__}: {error}"),
            "This is a bug in onboard. Please report it.",
        )
        return 1
    return 0


def _interrupt(ended: BaseException) -> KeyboardInterrupt | None:
    """Return the interrupt behind an exit of Typer's, if there is one."""
    cause: BaseException | None = ended
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__ or cause.__context__
    return cause


def _say(message: str, hint: str = "") -> None:
    from cloudcraft_onboard.console.harmless import brief, clean_lines
    from cloudcraft_onboard.console.prose import say

    for line in brief(f"onboard: {message}", _LONGEST).split("\n"):
        say(clean_lines(line))
    if hint:
        say(clean_lines(f"  hint: {hint}"))


def _say_manifest_errors(error: ManifestError) -> None:
    from cloudcraft_onboard.console.harmless import clean_lines
    from cloudcraft_onboard.console.prose import say
    from cloudcraft_onboard.console.streams import tell_runner
    from cloudcraft_onboard.errors import ManifestError
    from cloudcraft_onboard.manifest.load import render

    shown = ManifestError(error.problems[:_MOST_PROBLEMS])
    print(clean_lines(render(shown, quote=sys.stderr.isatty())), file=sys.stderr)
    for hint in dict.fromkeys(problem.hint for problem in shown.problems if problem.hint):
        say(f"  hint: {hint}")
    rest = len(error.problems) - _MOST_PROBLEMS
    if rest > 0:
        print(f"onboard: And {rest:,} more problems; correct these first.", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from cloudcraft_onboard.show import github

        for line in github.manifest_annotations(shown):
            tell_runner(sys.stderr, line)


if __name__ == "__main__":
    main()
