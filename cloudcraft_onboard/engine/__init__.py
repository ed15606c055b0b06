"""The engine: Cloudcraft is handed to it (`ports`), views listen to its events.

Which thread does what (`driver`):

- The story's thread runs `onboarding` or `offboarding`. It alone reads the inbox, feeds the core
  and does what the core orders. All that is known of accounts and requests belongs to it, so no
  lock guards it.
- Workers ("aws-N") do one job at a time: an account, or a stack set with its accounts. What they do
  are generators (`accounts`): each step, change and result is a message or an event.
- Senders ("cloudcraft-N") send one request each and say what came of it.
- One thread ("pace-0") waits for the next slot that the pace allows.
- The main thread, outside, shows events and handles signals (`app/drive.py`).

The core (`core`) has no threads, clock or I/O. It holds parts that don't know each other's rules:
`machine` (what becomes of each request: one table; `moves` and `mending` do what it orders), `jobs`
(the AWS side), `outgoing` (what waits, and what is on its way), `lists` (when the list is read),
`budget` (the time), `control` (the stop, which has no other owner), `agenda` (what one step
orders). Observing for a removal needs no request and no machine: `observe`.

What happens to one POST: `machine`, from top to bottom, and `register` for what its answers mean.
"""
