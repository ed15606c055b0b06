"""The entry point: turns whatever a user can cause into one message and one exit code."""

from __future__ import annotations

import os
import signal
import sys

from cloudcraft_onboard.errors import ManifestError, OnboardError
from cloudcraft_onboard.harmless import clean_lines, guard, tell_runner


def main() -> None:
    """Run the command line and exit."""
    guard()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        from cloudcraft_onboard.cli.main import app  # noqa: PLC0415 - it may be interrupted, too

        app(prog_name="onboard")
    except ManifestError as error:
        _say_manifest_errors(error)
        sys.exit(error.exit_code)
    except OnboardError as error:
        _say(error.message, error.hint)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of stdout went away (`| head`); nothing may be flushed into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the last place that can keep a traceback's secrets
        from cloudcraft_onboard.redact import redact  # noqa: PLC0415 - only needed here

        _say(
            redact(f"unexpected {type(error).__name__}: {error}"),
            "this is a bug of onboard; please report it",
        )
        sys.exit(1)


def _say(message: str, hint: str = "") -> None:
    print(clean_lines(f"onboard: {message}"), file=sys.stderr)
    if hint:
        print(clean_lines(f"  hint: {hint}"), file=sys.stderr)


def _say_manifest_errors(error: ManifestError) -> None:
    from cloudcraft_onboard.manifest.load import render  # noqa: PLC0415 - only needed here

    print(clean_lines(render(error, quote=sys.stderr.isatty())), file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from cloudcraft_onboard.show import github  # noqa: PLC0415 - only needed here

        for line in github.manifest_annotations(error):
            tell_runner(sys.stderr, line)


if __name__ == "__main__":
    main()
