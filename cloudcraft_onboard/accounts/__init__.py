"""What is done in AWS, for one account or for all accounts of a stack set.

Every function here is a generator: it yields each step before it is taken and each change once it
is made (`facts`), and knows nothing of threads, of Cloudcraft's pace, or of how a run ends. `entry`
is the way into an account; `account` and `rollout` bring roles, `removal` and `teardown` delete
them. AWS is handed in (`ports`).
"""
