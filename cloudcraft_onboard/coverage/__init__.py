"""Where the accounts stand, seen from all sides (README, Where accounts stand). Pure.

words.py   the states, a row for each account, the coverage
joined.py  manifest, Cloudcraft and AWS Organizations joined: one state for each account
advice.py  the commands that close what is open
"""
