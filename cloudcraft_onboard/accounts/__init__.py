"""What is done in AWS, for one account or for all accounts of a stack set.

All of it are generators: they say each step before it is taken and each change once it is made
(`facts`), and know nothing of threads, of Cloudcraft's pace, or of how a run ends. `account` and
`rollout` bring roles, `removal` and `teardown` take them away; AWS is handed to them (`ports`).
"""
