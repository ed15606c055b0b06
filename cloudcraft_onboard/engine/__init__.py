"""The engine: Cloudcraft is handed to it (`ports`), views listen to its events.

Which thread does what:

- The story's thread runs `onboarding` or `offboarding`. It alone reads the inbox (`driver`), feeds
  the core (`requests`) and does what the core orders. All that is known of accounts and requests
  belongs to it, so no lock guards it.
- Workers ("aws-N") do one job at a time: an account, or a stack set with its accounts. What they do
  are generators (`accounts`): each step, change and result is a message or an event.
- Senders ("cloudcraft-N") send one request each and say what came of it.
- One thread ("pace-0") waits for the next slot that the pace allows.
- The main thread, outside, shows events and handles signals (`app/drive.py`).

What happens to one POST: a worker says `Worked`; the policy (`register`) makes a `Track` of it,
which is queued until its role has settled. The core asks for a slot; at `SlotFree` it chooses the
track and orders `Send`. The sender's `Answered` is accepted, or refused (tried again while the role
is young, else failed), or doubtful. A doubtful one waits until nothing else is under way; then one
list tells what became of all doubtful ones, and only what is missing is sent again. In the end the
last list is read (`verify`): an account is done when it is listed, once.
"""
