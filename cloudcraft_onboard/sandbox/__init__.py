"""A local AWS and a local Cloudcraft on loopback, in one child process.

world.py       starts the child, hands out the environment that points at it (parent's side)
__main__.py    the child: both servers on one event loop, gone as soon as its parent is
seed.py        manifest → what exists before the run (pure)
shapes.py      … and what that is made of
aws.py         MiniStack with IAM enforced
portal.py      IAM Identity Center: sign-in, and credentials for accounts
api.py         Cloudcraft as its documentation has it
cloudcraft.py  … behind its rate limit, with faults
limits.py      the rate limit, in every window semantics that it might have
faults.py      what can be made to go wrong
door.py        who may talk to them
control.py     the beginning; `/_sandbox/…`: reset, faults, log, state, for tests
"""
