"""What options are where nobody gives them (README, Options); one place for every room."""

REQUESTS = "cloudcraft_onboard.http"
"""The logger to which the clients of Cloudcraft and AWS tell each request, as INFO."""

CONCURRENCY = 128
"""Accounts worked on in AWS at once: at 50 to 200 ms a call no other number is much faster."""

RETRIES = 5
"""How often one request is tried again when that is safe."""

TIMEOUT = 60.0
"""Seconds that one answer of Cloudcraft may take."""

MOST = 5
"""Registrations that `remove --unlisted`, accounts that `init --disable-closed` takes, at most."""
